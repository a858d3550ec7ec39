"""Answers, as ASGI sends them."""

from collections.abc import Sequence

import msgspec
from starlette.types import Send

_encode = msgspec.json.Encoder().encode
_NOT_STORED = (b"cache-control", b"no-store")


class Reply:
    """An answer whose body is complete."""

    __slots__ = ("body", "headers", "media_type", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        media_type: bytes = b"application/json",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status = status
        self.body = body
        self.media_type = media_type
        self.headers = headers

    async def send(self, send: Send, *, with_body: bool) -> None:
        """Send it; without its body to a HEAD request."""
        headers = [
            (b"content-type", self.media_type),
            (b"content-length", b"%d" % len(self.body)),
            _NOT_STORED,
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = self.body if with_body else b""
        await send({"type": "http.response.body", "body": body, "more_body": False})


def json_reply(
    status: int, body: msgspec.Struct, headers: Sequence[tuple[bytes, bytes]] = ()
) -> Reply:
    """`body` as JSON."""
    return Reply(status, _encode(body), headers=headers)
