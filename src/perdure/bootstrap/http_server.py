"""The HTTP server: uvicorn, inside the loop that also runs the engine.

uvicorn was chosen by measurement: at equal throughput Granian's embedded server took 1.3 times the
CPU and twice the latency. It has no limit on the head of a request; that is added here.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 30.0
STALL_S = 60.0
"""How long a client may take nothing of what is written to it; twice as long at most."""
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _JoiningTransport:
    """Writes a response's head together with what follows it in the same step of the loop.

    uvicorn writes the two apart, which costs a system call here and a wake-up at the client.
    """

    __slots__ = (
        "_head",
        "_loop",
        "_transport",
        "abort",
        "get_extra_info",
        "get_write_buffer_size",
        "is_closing",
        "pause_reading",
        "resume_reading",
    )

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None
        self.abort = transport.abort
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def write(self, data: bytes) -> None:
        if self._head is not None:
            data = self._head + data
            self._head = None
            self._transport.write(data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it lacks.

    They are a head's size, its time to arrive, and the time without progress after which a client
    that does not read what it asked for is dropped.
    """

    _head_bytes = 0
    _reading_head = True
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joining = _JoiningTransport(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, joining))
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_reading_head = self._reading_head
        super().data_received(data)
        if self._reading_head:
            if was_reading_head:
                self._head_bytes += len(data)
            self._start_head_timer()
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._reading_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        self._stop_head_timer()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_stall_timer()

    def resume_writing(self) -> None:
        self._stop_stall_timer()
        super().resume_writing()

    def _start_stall_timer(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(STALL_S, self._look_for_progress, unsent)

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _look_for_progress(self, unsent_before: int) -> None:
        if self.transport.get_write_buffer_size() < unsent_before:
            self._start_stall_timer()
        else:
            self.transport.abort()

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class EmbeddedServer(uvicorn.Server):
    """uvicorn in a loop of ours, which leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Accept no more and finish what is in flight; then `serve` returns."""
        self.should_exit = True


def embedded_server(application: Any, *, grace_s: int) -> EmbeddedServer:
    """A server for an ASGI application; `serve(sockets=[…])` it. Stopping takes `grace_s`."""
    return EmbeddedServer(
        uvicorn.Config(
            application,
            http=GuardedProtocol,
            interface="asgi3",
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=grace_s,
        )
    )
