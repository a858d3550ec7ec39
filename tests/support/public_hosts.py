"""Stand-ins on loopback for the public hosts that the specification's documents call.

Each host is a folder of one service: ``https://swapi.dev/api/people/1`` is called as
``http://127.0.0.1:PORT/swapi.dev/api/people/1``. `rewritten` changes the endpoints of a document
so, and nothing else of it. A host that has no stand-in is called in vain, and never left as it is.
"""

import asyncio
import base64
import binascii
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.support.loopback import serving

SLOW_S = 5.0
"""How long the slower of two competing calls takes."""
_POLL_S = 0.01
_ALERT = "fake-hospital.com/api/v3/alert"
DEAR_PET = 69
"""The pet that the example of a custom function asks for."""
UNREACHABLE_ONCE = 5031
"""The pet whose first call is answered 503."""
_ENDPOINT = re.compile(r"^(\s*(?:endpoint|uri):.*?)https?://(?=[a-z0-9-]+\.)", re.MULTILINE)
_PETS = {
    number: {"id": number, "name": name, "status": "available", "photoUrls": [], "tags": []}
    for number, name in {
        1: "Rex",
        2: "Minka",
        DEAR_PET: "Pongo",
        UNREACHABLE_ONCE: "Perdita",
    }.items()
}


@dataclass(frozen=True)
class Seen:
    """A call that came. `path` begins with the host; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class PublicHosts:
    """The service as an application (ASGI), and what it was called with, in order."""

    def __init__(self) -> None:
        self.url = ""
        self._external_works = True
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._app = Starlette(routes=[*self._routes()])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            seen = Seen(
                request.method,
                request.url.path.lstrip("/"),
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
            scope["body"] = seen.body
            with self._lock:
                self._seen.append(seen)
        await self._app(scope, receive, send)

    def taken(self) -> list[Seen]:
        """What came since this was last asked, oldest first."""
        with self._lock:
            seen, self._seen = self._seen, []
            return seen

    def rewritten(self, document: str) -> str:
        """A document whose endpoints at public hosts are those of their stand-ins."""
        return _ENDPOINT.sub(rf"\g<1>{self.url}/", document)

    # -- hosts ---------------------------------------------------------------------------------

    def _routes(self) -> Iterator[Route]:
        yield Route("/petstore.swagger.io/v2/swagger.json", _swagger)
        yield Route("/petstore.swagger.io/v2/pet/findByStatus", _find_by_status)
        yield Route("/petstore.swagger.io/v2/pet/", _update_pet, methods=["PUT"])
        yield Route("/petstore.swagger.io/v2/pet/{id:int}", self._get_pet)
        yield Route("/httpbin.org/basic-auth/{name}/{password}", _basic_auth)
        yield Route("/swapi.dev/api/people/", _search_people)
        yield Route("/swapi.dev/api/people/{id:int}", self._get_person)
        yield Route("/swapi.dev/api/planets/{id:int}", _get_planet)
        yield Route("/fake.com/sample", _constant({"sample": True}))
        yield Route("/external-service.example.com/api", self._external)
        for path in (
            "superbet-casinos.com/api/bet/on/football",
            "example.com/api/v1/backup/start",
            "hospital.example.com/api/v1/notify",
        ):
            yield Route(f"/{path}", _echo, methods=["POST"])
        doctor = _constant({"alerted": "doctor"}, after_s=SLOW_S)
        yield Route(f"/{_ALERT}/nurses", self._alert_nurses, methods=["PUT"])
        yield Route(f"/{_ALERT}/doctor", doctor, methods=["PUT"])

    async def _get_pet(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number == UNREACHABLE_ONCE and self._times(request) == 1:
            return JSONResponse({"message": "try again"}, 503)
        pet = _PETS.get(number)
        return JSONResponse(pet) if pet else JSONResponse({"message": "Pet not found"}, 404)

    async def _alert_nurses(self, request: Request) -> Response:
        """The nurses answer first, but not before the doctor is called as well."""
        for _ in range(int(SLOW_S / _POLL_S)):
            with self._lock:
                if any(seen.path == f"{_ALERT}/doctor" for seen in self._seen):
                    break
            await asyncio.sleep(_POLL_S)
        return JSONResponse({"alerted": "nurses"})

    async def _get_person(self, request: Request) -> Response:
        planet = f"{self.url}/swapi.dev/api/planets/{request.path_params['id']}"
        return JSONResponse({"name": "Luke Skywalker", "homeworld": planet})

    async def _external(self, request: Request) -> Response:
        """Unavailable every other time, the first one included."""
        self._external_works = not self._external_works
        if not self._external_works:
            return JSONResponse({}, 503)
        return JSONResponse({"answer": 42})

    def _times(self, request: Request) -> int:
        """How often this came since `taken`, this time included."""
        path = request.url.path.lstrip("/")
        with self._lock:
            return sum(seen.path == path for seen in self._seen)


async def _swagger(request: Request) -> Response:
    pet = {"type": "object", "properties": {"id": {"type": "integer"}}}

    def operation(id: str, name: str, where: str, type: str) -> dict[str, Any]:
        parameter = {"name": name, "in": where, "required": True, "type": type}
        return {
            "get": {
                "operationId": id,
                "parameters": [parameter],
                "responses": {"200": {"description": "found"}},
            }
        }

    description = {
        "swagger": "2.0",
        "info": {"title": "Pet store", "version": "1"},
        "host": request.url.netloc,
        "basePath": "/petstore.swagger.io/v2",
        "schemes": ["http"],
        "definitions": {"Pet": pet},
        "paths": {
            "/pet/findByStatus": operation("findPetsByStatus", "status", "query", "string"),
            "/pet/{petId}": operation("getPetById", "petId", "path", "integer"),
        },
    }
    return JSONResponse(description)


async def _find_by_status(request: Request) -> Response:
    status = request.query_params.get("status")
    return JSONResponse([pet for pet in _PETS.values() if pet["status"] == status])


async def _update_pet(request: Request) -> Response:
    """The pet store finds the pet by the body's id."""
    pet = await _json(request)
    if pet.get("id") not in _PETS:
        return JSONResponse({"message": "Pet not found"}, 404)
    return JSONResponse(pet)


async def _basic_auth(request: Request) -> Response:
    name, password = request.path_params["name"], request.path_params["password"]
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    if scheme.lower() == "basic" and given == f"{name}:{password}":
        return JSONResponse({"authenticated": True, "user": name})
    return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="Fake Realm"'})


async def _search_people(request: Request) -> Response:
    """Whoever asks for ``moved`` is sent on to where Luke is."""
    search = request.query_params.get("search", "")
    if search == "moved":
        return RedirectResponse("/swapi.dev/api/people/?search=luke", 302)
    return JSONResponse({"count": 1, "results": [{"name": f"{search} Skywalker"}]})


async def _get_planet(request: Request) -> Response:
    return JSONResponse({"name": "Tatooine"})


async def _echo(request: Request) -> Response:
    return JSONResponse({"received": await _json(request)})


def _constant(
    answer: dict[str, Any], *, after_s: float = 0.0
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        await asyncio.sleep(after_s)
        return JSONResponse(answer)

    return endpoint


async def _json(request: Request) -> Any:
    """The body, which was read already."""
    return json.loads(request.scope["body"] or b"null")


@contextmanager
def public_hosts() -> Iterator[PublicHosts]:
    """The service, on loopback; `url` says where."""
    service = PublicHosts()
    with serving(service) as service.url:
        yield service
