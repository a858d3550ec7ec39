"""The body of a request as it comes in, within a limit."""

from collections.abc import Mapping
from contextlib import suppress

from starlette.types import Receive

from perdure.api.problems import RequestError

BODY_LIMIT_BYTES = 4 * 1024 * 1024
"""The largest body that is read."""
_DISCARDED_AT_MOST_BYTES = 16 * BODY_LIMIT_BYTES


class ClientLeftError(Exception):
    """The client closed the connection before its request was complete."""


class Incoming:
    """The body of one request."""

    __slots__ = ("_complete", "_headers", "_receive")

    def __init__(self, receive: Receive, headers: Mapping[bytes, bytes]) -> None:
        self._receive = receive
        self._headers = headers
        self._complete = False

    async def read(self, limit: int = BODY_LIMIT_BYTES) -> bytes:
        """The whole body; a RequestError where it has more than `limit` bytes."""
        announced = self._headers.get(b"content-length", b"")
        if len(announced) > 6 and announced.isdigit() and int(announced[:20]) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        while not self._complete and size <= limit:
            parts.append(await self._next())
            size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        return b"".join(parts)

    async def discard(self) -> None:
        """Let what is left of the body pass by, so that the client gets to read the answer.

        Most clients write all of a body before they read; were it left unread, they would see a
        broken connection in place of the problem. One that asks first (`Expect`) need not send it.
        """
        headers = self._headers
        if b"expect" in headers or not (
            b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        ):
            return
        discarded = 0
        while not self._complete and discarded <= _DISCARDED_AT_MOST_BYTES:
            discarded += len(await self._next())

    async def client_left(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ClientLeftError):
            while True:
                await self._next()

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        self._complete = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part


def _too_large(limit: int) -> RequestError:
    return RequestError("too_large", f"the body has more than the {limit:,} bytes that it may have")
