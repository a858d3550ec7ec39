"""What the HTTP server does about clients that do not read."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from perdure.bootstrap import http_server
from perdure.bootstrap.http_server import GuardedProtocol, embedded_server
from perdure.bootstrap.server import listener

PART = b"x" * 64 * 1024
REQUEST = b"GET / HTTP/1.1\r\nhost: perdure.test\r\n\r\n"
PATIENCE_S = 30.0


@contextlib.asynccontextmanager
async def served(application: ASGIApp) -> AsyncIterator[int]:
    """A server of the application; its port."""
    with listener("127.0.0.1", 0) as listening:
        server = embedded_server(application, grace_s=1)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.stop()
            await serving


class Endless:
    """Sends parts until the client has gone."""

    def __init__(self) -> None:
        self.sent = 0
        self.is_over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = asyncio.create_task(self._left(receive))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not left.done():
            await send({"type": "http.response.body", "body": PART, "more_body": True})
            self.sent += 1
            await asyncio.sleep(0)
        self.is_over.set()

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


async def test_a_client_that_reads_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then no more is written than the network holds."""
    monkeypatch.setattr(http_server, "STALL_S", 0.2)
    application = Endless()
    loop = asyncio.get_running_loop()
    async with served(application) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setblocking(False)
            await loop.sock_sendall(client, REQUEST)
            await asyncio.wait_for(application.is_over.wait(), PATIENCE_S)
            assert application.sent < 500
            with contextlib.suppress(ConnectionError):
                while await loop.sock_recv(client, 2**20):
                    pass


async def test_a_client_that_leaves_ends_what_is_sent_to_it() -> None:
    application = Endless()
    async with served(application) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        await reader.readexactly(len(PART))
        writer.close()
        await asyncio.wait_for(application.is_over.wait(), PATIENCE_S)


# -- when progress counts ----------------------------------------------------------------------


class Transport:
    """A connection with so much that is not yet sent."""

    def __init__(self) -> None:
        self.unsent = 0
        self.aborted = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values: None

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True


class Timers:
    """The loop as far as it sets timers: each is called when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, delay_s: float, call: Callable[..., None], *values: Any) -> "Timers":
        if delay_s == http_server.STALL_S:
            self.due.append(lambda: call(*values))
        return self

    def cancel(self) -> None:
        self.due.clear()

    def pass_by(self) -> None:
        """The time of the timers that are set is over."""
        due, self.due = self.due, []
        for call in due:
            call()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def timers() -> Timers:
    return Timers()


@pytest.fixture
def protocol(transport: Transport, timers: Timers) -> GuardedProtocol:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    config = uvicorn.Config(nothing, log_config=None, lifespan="off")
    config.load()
    loop: Any = timers
    connection: Any = transport
    made = GuardedProtocol(config, ServerState(), {}, loop)
    made.connection_made(connection)
    return made


def test_slow_is_not_stalled(
    protocol: GuardedProtocol, transport: Transport, timers: Timers
) -> None:
    transport.unsent = 1000
    protocol.pause_writing()
    for unsent in (999, 500, 499):
        transport.unsent = unsent
        timers.pass_by()
        assert not transport.aborted
    timers.pass_by()
    assert transport.aborted


def test_who_has_read_what_there_was_may_take_its_time(
    protocol: GuardedProtocol, transport: Transport, timers: Timers
) -> None:
    transport.unsent = 1000
    protocol.pause_writing()
    protocol.resume_writing()
    timers.pass_by()
    assert not transport.aborted
    protocol.pause_writing()
    protocol.connection_lost(None)
    timers.pass_by()
    assert not transport.aborted
