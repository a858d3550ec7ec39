"""What programs call in the outside world, and the secrets that they call it with."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec


class Basic(msgspec.Struct, frozen=True, kw_only=True):
    """Basic authentication (RFC 7617)."""

    username: str
    password: str


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token (RFC 6750)."""

    token: str


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request over HTTP, evaluated: nothing in it is an expression or a template any more.

    Query values are text, or lists of text for parameters that are repeated. `body` is JSON's
    values; UNSET for none. `redirect` allows statuses from 300 to 399, which are followed.
    `confidential` are texts, of secrets for instance, that must show neither in a failure nor in
    what is recorded of the request.
    """

    method: str
    uri: str
    headers: Mapping[str, str] = {}
    query: Mapping[str, str | list[str]] = {}
    body: Any = msgspec.UNSET
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    authentication: Basic | Bearer | None = None
    confidential: tuple[str, ...] = ()


class Calls(Protocol):
    """Calls the outside world, within its limits, and only where calls may go."""

    async def http(self, request: HttpRequest) -> bytes:
        """Send a request; what its `output` asks for, as JSON.

        Raises FailedError with a failure of the specification's standard types: communication
        for what did not answer, or with a status that is an error, which is the failure's.
        """
        ...


class Secrets(Protocol):
    """The secrets that documents may name."""

    def get(self, name: str) -> Any:
        """The value of a secret. Raises FailedError (authorization) where there is none."""
        ...
