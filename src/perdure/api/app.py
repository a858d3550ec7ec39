"""The ASGI application: authentication, dispatch, and the one place where errors are answered."""

import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from re import Pattern
from urllib.parse import unquote

from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from perdure.api import origins
from perdure.api.documentation import SERVED
from perdure.api.incoming import ClientLeftError, Incoming
from perdure.api.problems import RequestError, problem_reply
from perdure.api.queries import Query
from perdure.api.replies import Reply
from perdure.api.requests import Request
from perdure.api.routes import Route
from perdure.ports.clock import Clock
from perdure.ports.runtime import Runtime

ADMIN = "admin"
"""Who the holder of the admin key is, as `created_by` names callers."""

_PUBLIC_PATHS = frozenset(route.path for route in SERVED if route.public)
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_SENT_SLASH = "\udc2f"
"""Half of a surrogate pair: no path decodes to it."""
_CHALLENGE = (b"www-authenticate", b"Bearer")


def create_app(runtime: Runtime, *, admin_key: str | None, clock: Clock) -> "App":
    """The API over `runtime`. Without an `admin_key` everyone on this machine may do everything."""
    return App(runtime, admin_key, clock, SERVED)


class _Resource:
    """What is served under one path."""

    def __init__(self, path: str) -> None:
        self.pattern: Pattern[str] = compile_path(path)[0]
        self.by_method: dict[str, Route] = {}

    def add(self, route: Route) -> None:
        self.by_method[route.method] = route
        if route.method == "GET":
            self.by_method["HEAD"] = route


class App:
    """An ASGI application; it speaks HTTP, and takes part in the lifespan without needing it."""

    def __init__(
        self, runtime: Runtime, admin_key: str | None, clock: Clock, routes: Sequence[Route]
    ) -> None:
        self._runtime = runtime
        self._key = None if admin_key is None else admin_key.encode()
        self._caller = None if admin_key is None else ADMIN
        self._clock = clock
        resources: dict[str, _Resource] = {}
        for route in routes:
            resources.setdefault(route.path, _Resource(route.path)).add(route)
        self._resources = tuple(resources.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Errors end in an answer, never in the server."""
        if scope["type"] != "http":
            await _without_http(scope, receive, send)
            return
        method: str = scope["method"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        incoming = Incoming(receive, headers)
        # An OSError is a client that left. What it asked for is done all the same.
        with suppress(ClientLeftError, OSError):
            try:
                reply = await self._reply(scope, method, headers, incoming)
            except ClientLeftError:
                raise
            except Exception as error:
                reply = problem_reply(error, doing=f"{method} {scope['path']!r}")
                await incoming.discard()
            await reply.send(send, with_body=method != "HEAD")

    async def _reply(
        self, scope: Scope, method: str, headers: Mapping[bytes, bytes], incoming: Incoming
    ) -> Reply:
        path: str = scope["path"]
        if path not in _PUBLIC_PATHS:
            if b"origin" in headers:
                origins.expect_own(headers)
            if self._key is None:
                origins.expect_loopback(headers)
            else:
                self._authenticate(headers)
        route, parameters = self._find(method, path, scope.get("raw_path") or b"")
        request = Request(
            scope,
            incoming,
            headers=headers,
            parameters=parameters,
            caller=self._caller,
            runtime=self._runtime,
            clock=self._clock,
        )
        if route.query is Query:
            request.query(Query)
        return await route.handler(request)

    def _authenticate(self, headers: Mapping[bytes, bytes]) -> None:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        known = scheme.lower() == b"bearer"
        if known and self._key is not None and hmac.compare_digest(token.strip(), self._key):
            return
        if known:
            detail = "the key is not right"
        elif scheme:
            detail = "the scheme of the header Authorization has to be Bearer"
        else:
            detail = "the header Authorization: Bearer <key> is missing"
        raise RequestError("unauthorized", detail, headers=[_CHALLENGE])

    def _find(self, method: str, path: str, raw_path: bytes) -> tuple[Route, Mapping[str, str]]:
        segments = _segments(path, raw_path)
        allowed = ""
        for resource in self._resources:
            match = resource.pattern.fullmatch(segments)
            if match is None:
                continue
            route = resource.by_method.get(method)
            if route is not None:
                parameters = match.groupdict()
                if segments is not path:
                    parameters = {
                        name: text.replace(_SENT_SLASH, "/") for name, text in parameters.items()
                    }
                return route, parameters
            # A path that is matched as it stands comes before one with parameters, as in OpenAPI.
            allowed = allowed or ", ".join(sorted(resource.by_method))
        if allowed:
            raise RequestError(
                "method_not_allowed",
                f"{method[:32]} is not allowed here; {allowed} is",
                headers=[(b"allow", allowed.encode())],
            )
        raise RequestError("not_found", f"nothing is served under {path[:200]!r}")


def _segments(path: str, raw_path: bytes) -> str:
    """The decoded path, in which a slash that was sent as `%2F` separates nothing."""
    if b"%2f" not in raw_path.lower():
        return path
    parts = _ENCODED_SLASH.split(raw_path.decode("latin-1"))
    return _SENT_SLASH.join(unquote(part) for part in parts)


async def _without_http(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.close", "code": 1000})
