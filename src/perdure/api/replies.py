"""Answers, as ASGI sends them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
from starlette.types import Send

from perdure.ports.runtime import Download

_encode = msgspec.json.Encoder().encode
_NOT_STORED = b"no-store"
_NOT_SNIFFED = (b"x-content-type-options", b"nosniff")


class Reply:
    """An answer whose body is complete, or that has none (None)."""

    __slots__ = ("body", "cache_control", "headers", "media_type", "status")

    def __init__(
        self,
        status: int,
        body: bytes | None,
        media_type: bytes = b"application/json",
        headers: Sequence[tuple[bytes, bytes]] = (),
        cache_control: bytes = _NOT_STORED,
    ) -> None:
        self.status = status
        self.body = body
        self.media_type = media_type
        self.headers = headers
        self.cache_control = cache_control

    def head(self) -> list[tuple[bytes, bytes]]:
        """All of its headers."""
        headers = [(b"cache-control", self.cache_control), _NOT_SNIFFED, *self.headers]
        if self.body is not None:
            headers.append((b"content-type", self.media_type))
            headers.append((b"content-length", b"%d" % len(self.body)))
        return headers

    async def send(self, send: Send, *, with_body: bool) -> None:
        """Send it; without its body to a HEAD request."""
        head = self.head()
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        body = self.body
        if body is None or not with_body:
            body = b""
        await send({"type": "http.response.body", "body": body, "more_body": False})


class FileReply(Reply):
    """An answer whose body comes in parts, for as long as the client takes them.

    `client_left` returns when the client is gone; then no more is read. The next part is read when
    the one before was handed to the network: a client that reads slowly holds that one alone.
    """

    __slots__ = ("_client_left", "_download")

    def __init__(
        self,
        download: Download,
        client_left: Callable[[], Coroutine[Any, Any, None]],
        media_type: bytes,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        super().__init__(200, b"", media_type, headers)
        self._download = download
        self._client_left = client_left

    async def send(self, send: Send, *, with_body: bool) -> None:
        """Send it; without its body to a HEAD request. The download is closed in any case."""
        gone = asyncio.ensure_future(self._client_left())
        try:
            cache_control = (b"cache-control", self.cache_control)
            media_type = (b"content-type", self.media_type)
            headers = [media_type, cache_control, _NOT_SNIFFED, *self.headers]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while with_body and not gone.done():
                part = await self._download.part()
                if part is None:
                    break
                if part:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._download.close()


def json_reply(
    status: int,
    body: msgspec.Struct,
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    cache_control: bytes = _NOT_STORED,
) -> Reply:
    """`body` as JSON."""
    return Reply(status, _encode(body), headers=headers, cache_control=cache_control)


def no_content() -> Reply:
    """It is done, and there is nothing to say."""
    return Reply(204, None)
