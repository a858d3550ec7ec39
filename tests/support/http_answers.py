"""HTTP servers on loopback that answer as a test has written down, byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from tests.support.eventually import eventually

Answering = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


class Asked:
    """A request as it came."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.body = b""
        line, *headers = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = line.split(" ")
        self.headers = {
            name.lower(): value
            for name, _, value in (header.partition(": ") for header in headers if header)
        }

    async def gone(self) -> None:
        """Wait until the client closes its connection."""
        await self._reader.read()


class Answers:
    """What a server was asked, and where it is."""

    def __init__(self, port: int, scheme: str) -> None:
        self.asked: list[Asked] = []
        self.port = port
        self.scheme = scheme
        self.open = 0
        """Connections that neither side has closed."""
        self.most_open = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


def answer(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answering:
    """Answers always with this."""

    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Reason", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return handle


def raw(data: bytes) -> Answering:
    """Answers with these bytes, and closes the connection."""

    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return handle


@contextlib.asynccontextmanager
async def answering(
    handle: Answering, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Answers]:
    """A server, until the end of the block."""
    answers: Answers
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.open += 1
        answers.most_open = max(answers.open, answers.most_open)
        writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked = Asked(head, reader)
                asked.body = await reader.readexactly(int(asked.headers.get("content-length", 0)))
                answers.asked.append(asked)
                await handle(asked, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            answers.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    answers = Answers(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield answers
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await eventually(lambda: not answers.open)
