"""Requests byte by byte, as no well-behaved client sends them, and what comes back."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.support.servers import ADMIN_KEY

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer; `status` is None where the connection was closed without one."""

    status: int | None
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of a problem; None where the answer is none."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        code = json.loads(self.body)["code"]
        assert isinstance(code, str)
        return code


DROPPED = Answer(None, {}, b"")


class Connection:
    """A connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        """Send parts; that the server has closed the connection is no error here."""
        for part in parts:
            with contextlib.suppress(ConnectionError):
                self.writer.write(part)
                await asyncio.wait_for(self.writer.drain(), PATIENCE_S)

    async def answer(self) -> Answer:
        """The next answer."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            status_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ") for line in lines)}
            length = int(headers.get("content-length", "0"))
            body = await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return DROPPED
        return Answer(int(status_line.split()[1]), headers, body)

    async def is_closed(self) -> bool:
        """Wait for the server to close it, whatever it sends before."""
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        return True

    def abort(self) -> None:
        """Leave at once."""
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[Connection]:
    """A connection to a server on this machine, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def request(
    line: str, *headers: str, body: bytes = b"", key: str = ADMIN_KEY, host: str = "localhost"
) -> bytes:
    """A request with a key; with a body, its length and type come along."""
    lines = [f"{line} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {key}", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def answered(port: int, *parts: bytes) -> Answer:
    """Send something over a connection of its own; the answer."""
    async with connection(port) as opened:
        sending = asyncio.ensure_future(opened.send(*parts))
        try:
            return await opened.answer()
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await sending


def as_json(value: Any) -> bytes:
    """A value as the body of a request."""
    return json.dumps(value).encode()
