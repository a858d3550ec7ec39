"""The limits that the HTTP server adds to uvicorn's, on requests and on connections."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from perdure.bootstrap import http_server
from perdure.bootstrap.http_server import connections_that_fit, embedded_server
from tests.support.raw_requests import Answer, answered, connection, request

SOON_S = 0.05
LARGE = b"x" * 20 * 1024 * 1024


class Application:
    """Reads each body and answers with its length,."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.reads.set()
        self.served: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.reads.wait()
        length = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            length += len(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"%d" % length
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self.served.append(scope["path"])


@contextlib.asynccontextmanager
async def serving(application: Application, *, most_connections: int = 100) -> AsyncIterator[int]:
    """The port of a server of this application."""
    http = embedded_server(application, grace_s=1, most_connections=most_connections)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(http.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            http.stop()
            await running


def expect(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("begun", [b"GET / HT", request("GET /")[:-1]])
async def test_a_head_that_does_not_end(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", SOON_S)
    async with serving(Application()) as port:
        expect(await answered(port, begun), 408, "too_slow")


@pytest.mark.parametrize("before", [b"", b"\r\n"])
async def test_a_connection_without_a_request_is_closed(
    before: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", SOON_S)
    async with serving(Application()) as port, connection(port) as opened:
        await opened.send(before)
        assert await opened.is_closed()


async def test_blank_lines_do_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_TIMEOUT_S", SOON_S)
    async with serving(Application()) as port, connection(port) as opened:
        await opened.send(request("GET /"))
        assert (await opened.answer()).status == 200
        await opened.send(b"\r\n")
        assert await opened.is_closed()


@pytest.mark.parametrize("head", ["Content-Length: 10", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_end(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", SOON_S)
    application = Application()
    async with serving(application) as port:
        expect(await answered(port, request("POST /", head), b"1\r\n"), 408, "too_slow")
    assert application.served == []


async def test_the_time_does_not_count_in_which_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", SOON_S)
    application = Application()
    application.reads.clear()
    async with serving(application) as port, connection(port) as opened:
        sending = asyncio.create_task(
            opened.send(request("POST /", f"Content-Length: {len(LARGE)}"), LARGE)
        )
        await asyncio.sleep(4 * SOON_S)
        monkeypatch.setattr(http_server, "BODY_TIMEOUT_S", 60.0)
        await asyncio.sleep(4 * SOON_S)
        application.reads.set()
        answer = await opened.answer()
        await sending
        assert (answer.status, answer.body) == (200, b"%d" % len(LARGE))


async def test_more_connections_than_there_may_be() -> None:
    async with serving(Application(), most_connections=1) as port, connection(port) as first:
        await first.send(request("GET /"))
        assert (await first.answer()).status == 200
        answer = await answered(port)
        expect(answer, 503, "too_many_connections")
        assert answer.headers["retry-after"] == "1"


async def test_the_limit_on_files_is_raised_for_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    for soft, hard, fit, raised in (
        (1024, 4096, 3584, [(4096, 4096)]),
        (1024, resource.RLIM_INFINITY, 10_000, [(10_512, resource.RLIM_INFINITY)]),
        (20_000, 20_000, 10_000, []),
        (256, 256, 128, []),
    ):
        limits.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _, both=(soft, hard): both)
        assert connections_that_fit() == fit
        assert limits == raised
