"""The specification's examples with tasks that are not executed yet: which, and why."""

from tests.conformance.example import Example

_CATALOGED = (
    "https://raw.githubusercontent.com/serverlessworkflow/catalog/main/functions/log/1.0.0/"
    "function.yaml"
)
_CALL = "of calls there is `http` so far"
_LISTEN = "events are not delivered yet"
_PROCESS = "processes are not started yet"


def _unsupported(file: str, task: str, why: str) -> Example:
    return Example(file, f"registers; executing is refused: `{task}`", why, refused=task)


def _oauth(file: str, scheme: str) -> Example:
    task = f"authentication {scheme} at /do/0/getPet/with/endpoint/authentication"
    return _unsupported(file, task, "of authentication there are `basic` and `bearer` so far")


REFUSED: tuple[Example, ...] = (
    _unsupported("accumulate-room-readings.yaml", "listen at /do/0/consumeReading", _LISTEN),
    _oauth("authentication-oauth2-secret.yaml", "oauth2"),
    _oauth("authentication-oauth2.yaml", "oauth2"),
    _oauth("authentication-oidc-secret.yaml", "oidc"),
    _oauth("authentication-oidc.yaml", "oidc"),
    _unsupported("call-asyncapi-publish.yaml", "call asyncapi at /do/0/findPet", _CALL),
    _unsupported(
        "call-asyncapi-subscribe-consume-amount.yaml",
        "call asyncapi at /do/0/getNotifications",
        _CALL,
    ),
    _unsupported(
        "call-asyncapi-subscribe-consume-forever-foreach.yaml",
        "call asyncapi at /do/0/getNotifications",
        _CALL,
    ),
    _unsupported(
        "call-asyncapi-subscribe-consume-until.yaml",
        "call asyncapi at /do/0/getNotifications",
        _CALL,
    ),
    _unsupported(
        "call-asyncapi-subscribe-consume-while.yaml",
        "call asyncapi at /do/0/getNotifications",
        _CALL,
    ),
    _unsupported(
        "call-custom-function-cataloged.yaml",
        f"call {_CATALOGED} at /do/0/log",
        "nothing is fetched from catalogs yet",
    ),
    _unsupported("call-grpc.yaml", "call grpc at /do/0/greet", _CALL),
    _unsupported("call-mcp.yaml", "call mcp at /do/0/publishMessageToSlack", _CALL),
    _unsupported("call-openapi-redirect.yaml", "call openapi at /do/0/findPet", _CALL),
    _unsupported("call-openapi.yaml", "call openapi at /do/0/findPet", _CALL),
    _unsupported("for.yaml", "listen at /do/0/checkup/do/0/waitForCheckup", _LISTEN),
    *(
        _unsupported(f"listen-to-{which}.yaml", "listen at /do/0/callDoctor", _LISTEN)
        for which in ("all read-envelope", "all", "any-filter")
    ),
    _unsupported("listen-to-any-forever-foreach.yaml", "listen at /do/0/listenToGossips", _LISTEN),
    *(
        _unsupported(f"listen-to-{which}.yaml", "listen at /do/0/callDoctor", _LISTEN)
        for which in ("any-until-condition", "any-until-consumed", "any")
    ),
    _unsupported("listen-to-one.yaml", "listen at /do/0/waitForStartup", _LISTEN),
    *(
        _unsupported(f"run-{which}.yaml", "run container at /do/0/runContainer", _PROCESS)
        for which in (
            "container-cleanup-always",
            "container-cleanup-eventually",
        )
    ),
    _unsupported(
        "run-container-stdin-and-arguments.yaml", "run container at /do/1/runContainer", _PROCESS
    ),
    *(
        _unsupported(f"run-{which}.yaml", "run container at /do/0/runContainer", _PROCESS)
        for which in (
            "container-with-name",
            "container-with-pull-policy",
            "container",
            "return-all",
            "return-code",
            "return-none",
            "return-stderr",
        )
    ),
    _unsupported(
        "run-script-with-stdin-and-arguments.yaml", "run script at /do/0/runScript", _PROCESS
    ),
    _unsupported("run-shell-stdin-and-arguments.yaml", "run shell at /do/1/runShell", _PROCESS),
)
