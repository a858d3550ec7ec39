"""What becomes of the specification's examples that call something over HTTP."""

from typing import Any

from tests.conformance.example import STANDARD, Example, Has, Run
from tests.support.public_hosts import DEAR_PET, UNREACHABLE_ONCE

_STORE = "petstore.swagger.io/v2/pet"


def _pet(number: int, name: str, **changed: Any) -> Has:
    return Has(**{"id": number, "name": name, "status": "available", **changed})


REX = _pet(1, "Rex")
_GET_REX = (f"GET {_STORE}/1",)
_TOKEN = Has(authorization="Bearer abc")
_MISSING = {"petId": 404}
_GET_MISSING = (f"GET {_STORE}/404",)
_SOLD = Run(
    {"petId": 1},
    _pet(1, "Rex", status="sold"),
    calls=(*_GET_REX, f"PUT {_STORE}/"),
)
_RETRIED = (
    "503 is answered by another attempt after 3 s, then 6, 12, 24 and 48; the first answer is the "
    "result, and the last failure the error"
)
_UNANSWERED = Has(
    type=f"{STANDARD}communication", status=503, instance="/do/0/tryGetPet/try/0/getPet"
)
_EXTERNAL = ("GET external-service.example.com/api",)
_LUKE = {"search": "luke"}
_FOUND = {"count": 1, "results": [{"name": "luke Skywalker"}]}
_PEOPLE = "GET swapi.dev/api/people/"

CALLING: tuple[Example, ...] = (
    Example(
        "authentication-bearer-uri-format.yaml",
        "the pet is fetched with the token of the input",
        runs=(Run({"petId": 1, "token": "abc"}, REX, calls=_GET_REX, headers=_TOKEN),),
    ),
    Example(
        "authentication-bearer.yaml",
        "the pet is fetched with the token of the input",
        runs=(Run({"token": "abc"}, REX, calls=_GET_REX, headers=_TOKEN),),
    ),
    Example(
        "authentication-reusable.yaml",
        "the pet is fetched with the token of the input",
        "`use.authentications` is looked up by name",
        runs=(Run({"petId": 1, "token": "abc"}, REX, calls=_GET_REX, headers=_TOKEN),),
    ),
    Example(
        "call-custom-function-inline.yaml",
        "pet 69 is fetched",
        "`with` is the input of the function's task, whose schema it fits",
        runs=(Run({}, _pet(DEAR_PET, "Pongo"), calls=(f"GET {_STORE}/{DEAR_PET}",)),),
    ),
    Example(
        "call-http-endpoint-interpolation-shorthand.yaml",
        "the pet is fetched; a pet that is not there fails with `communication`, 404",
        "`{petId}` is expanded with the task's input",
        runs=(
            Run({"petId": 1}, REX, calls=_GET_REX),
            Run(
                _MISSING,
                error=Has(type=f"{STANDARD}communication", status=404, instance="/do/0/getPet"),
                calls=_GET_MISSING,
            ),
        ),
    ),
    Example(
        "call-http-endpoint-interpolation.yaml",
        "the pet is fetched, and the header is sent",
        "the endpoint is an expression",
        runs=(
            Run(
                {"petId": 1},
                REX,
                calls=_GET_REX,
                headers=Has(**{"content-type": "application/json"}),
            ),
        ),
    ),
    Example(
        "call-http-query-headers-expressions.yaml",
        "people are searched with the query and the headers that `set` has made",
        "inputs without `searchQuery` are refused by the input schema",
        unfit=({}, {"searchQuery": 1}),
        runs=(
            Run(
                {"searchQuery": "luke"},
                _FOUND,
                calls=(_PEOPLE,),
                query=_LUKE,
                headers=Has(accept="application/json"),
            ),
        ),
    ),
    Example(
        "call-http-query-parameters.yaml",
        "people are searched; an answer that redirects is an error",
        "`redirect` is false: a status outside 200 to 299 is an error, and is not followed",
        unfit=({}, {"searchQuery": 1}),
        runs=(
            Run({"searchQuery": "luke"}, _FOUND, calls=(_PEOPLE,), query=_LUKE),
            Run(
                {"searchQuery": "moved"},
                error=Has(type=f"{STANDARD}communication", status=302),
                calls=(_PEOPLE,),
            ),
        ),
    ),
    Example(
        "call-http-redirect.yaml",
        "people are searched, and a redirect is followed",
        "`redirect` is true",
        unfit=({}, {"searchQuery": 1}),
        runs=(
            Run({"searchQuery": "luke"}, _FOUND, calls=(_PEOPLE,), query=_LUKE),
            Run({"searchQuery": "moved"}, _FOUND, calls=(_PEOPLE, _PEOPLE), query=_LUKE),
        ),
    ),
    Example(
        "conditional-task.yaml",
        "an adult's bet is placed; a minor's fails with `Access Forbidden`, and nothing is called",
        "the body is sent as it stands: in strict mode only `${ }` is an expression there",
        runs=(
            Run(
                {"customer": {"age": 18}, "bet": {}},
                {"received": {"customer": ".customer", "bet": ".bet"}},
                calls=("POST superbet-casinos.com/api/bet/on/football",),
            ),
            Run(
                {"customer": {"age": 17}, "bet": {}},
                error=Has(
                    type="https://superbet-casinos.com/customer/access-forbidden",
                    status=400,
                    title="Access Forbidden",
                    instance="/do/0/raiseErrorIfUnderage",
                ),
            ),
        ),
    ),
    Example(
        "do-multiple.yaml",
        "the pet is fetched, then sold",
        "the second task's input is the pet, which has no `petId`: `{petId}` is empty there, and "
        "the store goes by the body's `id`",
        runs=(_SOLD,),
    ),
    Example(
        "do-single.yaml",
        "the pet is fetched",
        runs=(Run({"petId": 1}, REX, calls=_GET_REX),),
    ),
    Example(
        "fork.yaml",
        "nurses and doctor are called at once; the nurses answer first, and theirs is the output",
        "`compete`: the call to the doctor is cancelled",
        runs=(
            Run(
                {"patient": {"fullName": "Ada"}, "room": {"number": 7}},
                {"alerted": "nurses"},
                calls=(
                    "PUT fake-hospital.com/api/v3/alert/doctor",
                    "PUT fake-hospital.com/api/v3/alert/nurses",
                ),
            ),
        ),
    ),
    Example(
        "mock-service-extension.yaml",
        "the service is called",
        "`when` asks for another host than the one that is called; `$task.with`, which it uses, is "
        "nothing that a task descriptor has, so it is null",
        runs=(Run({}, {"sample": True}, calls=("GET fake.com/sample",)),),
    ),
    Example(
        "schedule-cron.yaml",
        "executed by hand, the backup is started",
        "a schedule is registered and starts nothing yet",
        runs=(Run({}, {"received": None}, calls=("POST example.com/api/v1/backup/start",)),),
    ),
    Example(
        "star-wars-homeworld.yaml",
        "the character is fetched, and then the planet that it names",
        "`export` puts the planet's address into the context, which is the second endpoint",
        unfit=({}, {"id": 0}, {"id": "1"}),
        runs=(
            Run(
                {"id": 1},
                {"name": "Tatooine"},
                calls=("GET swapi.dev/api/people/1", "GET swapi.dev/api/planets/1"),
            ),
        ),
    ),
    *(
        Example(
            f"try-catch-retry-{which}.yaml",
            _RETRIED,
            why,
            runs=(
                Run(
                    {"petId": UNREACHABLE_ONCE},
                    _pet(UNREACHABLE_ONCE, "Perdita"),
                    calls=(f"GET {_STORE}/{UNREACHABLE_ONCE}",) * 2,
                ),
            ),
        )
        for which, why in (("inline", ""), ("reusable", "`use.retries` is looked up by name"))
    ),
    Example(
        "try-catch-then-directive.yaml",
        "503 leads to `recordFailure`, an answer to `continueProcessing`",
        "`catch.then` overrides where the task leads; the older error type is understood",
        runs=(
            Run({}, {"status": "failed"}, calls=_EXTERNAL),
            Run({}, {"status": "ok"}, calls=_EXTERNAL),
        ),
    ),
    Example(
        "try-catch-then.yaml",
        "a pet that is not there is told in an event and in the context, and nothing is bought; "
        "one that is there is sold",
        "`$error` in `set` is text: in strict mode only `${ }` is an expression there",
        runs=(
            Run(_MISSING, {"error": "$error"}, calls=_GET_MISSING),
            _SOLD,
        ),
    ),
    Example(
        "try-catch.yaml",
        "a pet that is not there is caught, and the output is the input of the task; 503 is not "
        "caught",
        "`catch` without `do` handles the error by doing nothing",
        runs=(
            Run(_MISSING, _MISSING, calls=_GET_MISSING),
            Run({"petId": 1}, REX, calls=_GET_REX),
            Run(
                {"petId": UNREACHABLE_ONCE},
                error=_UNANSWERED,
                calls=(f"GET {_STORE}/{UNREACHABLE_ONCE}",),
            ),
        ),
    ),
)
