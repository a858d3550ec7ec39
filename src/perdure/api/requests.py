"""Requests: what a handler is given, and the reading of bodies and queries within limits."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Scope

from perdure.api import values
from perdure.api.incoming import Incoming
from perdure.api.problems import RequestError
from perdure.api.queries import Query, kinds_of
from perdure.model.identifiers import execution_key
from perdure.ports.clock import Clock
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES, Problem, RefusedError, Runtime
from perdure.wire.requests import Request as Body

JSON_TYPE = "application/json"
DOCUMENT_TYPES = (
    "application/yaml",
    JSON_TYPE,
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
)
"""What documents may be sent as: the one that is registered for YAML (RFC 9512), and others."""
_MOST_PARAMETERS = 100

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


class Request:
    """One request, authenticated: what it asks for, and what is there to answer it.

    `caller` names who asks, None where everyone may.
    """

    __slots__ = ("_incoming", "_scope", "caller", "clock", "headers", "parameters", "runtime")

    def __init__(
        self,
        scope: Scope,
        incoming: Incoming,
        *,
        headers: Mapping[bytes, bytes],
        parameters: Mapping[str, str],
        caller: str | None,
        runtime: Runtime,
        clock: Clock,
    ) -> None:
        self._scope = scope
        self._incoming = incoming
        self.headers = headers
        self.parameters = parameters
        self.caller = caller
        self.runtime = runtime
        self.clock = clock

    @property
    def execution_id(self) -> str:
        """The execution that the path names; a text that is no id is an unknown execution."""
        named = self.parameters["execution_id"]
        if execution_key(named) is None:
            raise RefusedError("unknown_execution", f"there is no execution {named[:64]!r}")
        return named

    def header_lines(self, name: bytes) -> list[bytes]:
        """Every line of a header that may be sent in several."""
        return [value for key, value in self._scope["headers"] if key == name]

    async def client_left(self) -> None:
        """Wait until the client has closed the connection."""
        await self._incoming.client_left()

    def query(self, type_: type[Q]) -> Q:
        """The query parameters, checked; one may be given again where its field is a tuple."""
        text: bytes = self._scope["query_string"]
        if not text:
            return type_()
        try:
            pairs = parse_qsl(
                text.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            raise RequestError(
                "invalid_request", f"there are more than {_MOST_PARAMETERS} query parameters"
            ) from None
        given, repeated = _gathered(pairs, type_)
        try:
            if not repeated:
                return msgspec.convert(given, type_)
        except msgspec.ValidationError:
            pass
        errors = [Problem(f"?{name}", "is given more than once") for name in repeated]
        errors += values.problems(given, type_, prefix="?")
        raise RequestError(
            "invalid_request", "the query parameters are not valid: see `errors`", errors=errors
        )

    async def body(self, type_: type[B]) -> B:
        """The body, checked; an empty one is an empty object."""
        text = await self._incoming.read()
        if not text:
            return type_()
        self._expect(JSON_TYPE)
        return values.parsed(text, type_)

    async def document(self) -> bytes:
        """The body, a document as it was sent; what it means is not looked at here."""
        text = await self._incoming.read(DOCUMENT_LIMIT_BYTES)
        self._expect(*DOCUMENT_TYPES)
        return text

    def _expect(self, *media_types: str) -> None:
        sent = self.headers.get(b"content-type", b"").decode("latin-1")
        if sent not in media_types:
            media_type = sent.partition(";")[0].strip().lower()
            if media_type not in media_types:
                found = repr(media_type[:100]) if media_type else "missing"
                raise RequestError(
                    "unsupported_media_type",
                    f"the header Content-Type has to be {' or '.join(media_types[:2])}, and is "
                    f"{found}",
                )
        encoding = self.headers.get(b"content-encoding", b"identity")
        if encoding.strip().lower() != b"identity":
            raise RequestError(
                "unsupported_media_type",
                "the body has to be sent as it is, without Content-Encoding: "
                + repr(encoding[:100].decode("latin-1")),
            )


def _gathered(pairs: list[tuple[str, str]], type_: type[Query]) -> tuple[dict[str, Any], list[str]]:
    """The parameters by name, as `type_` can be made of them; names that came too often."""
    kinds = kinds_of(type_)
    given: dict[str, Any] = {}
    repeated: list[str] = []
    for name, value in pairs:
        kind = kinds.get(name)
        if kind == "repeatable":
            given.setdefault(name, []).append(value)
            continue
        if name in given and name not in repeated:
            repeated.append(name)
        given[name] = values.scalar(value) if kind == "scalar" else value
    return given, repeated
