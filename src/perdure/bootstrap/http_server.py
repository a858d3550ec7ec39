"""The HTTP server: uvicorn, inside the loop that also runs the engine.

uvicorn was chosen by measurement: at equal throughput Granian's embedded server took 1.3 times the
CPU and twice the latency. It has no limits on what comes before, around and after a body, nor on
the time that a client takes; those are added here. What breaks them is answered with a problem
where an answer can still be sent, and its connection is closed.
"""

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from perdure.api.incoming import BODY_LIMIT_BYTES
from perdure.api.problems import RequestError, problem_reply

HEAD_LIMIT_BYTES = 64 * 1024
HEAD_TIMEOUT_S = 30.0
STALL_S = 60.0
"""How long a client may take nothing of what is written to it; twice as long at most."""
BODY_TIMEOUT_S = 60.0
"""From the end of the head to the end of the body."""
CHUNKED_LIMIT_BYTES = BODY_LIMIT_BYTES + 1024 * 1024
"""A body in chunks, with all that chunks and trailers add to it."""
MOST_CHUNKS = 20_000
MOST_TRAILERS = 100
MOST_CONNECTIONS = 10_000
_RESERVED_FILES = 512


def _written(code: str, detail: str) -> bytes:
    """A problem as it goes over the wire, by which the connection ends."""
    reply = problem_reply(RequestError(code, detail), doing="")
    head = [*reply.head(), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in head]
    return b"\r\n".join([*lines, b"", reply.body or b""])


_MALFORMED = _written("malformed_request", "what was sent is not HTTP/1.1")
_UPGRADE_WITH_BODY = _written(
    "malformed_request",
    "this server speaks HTTP/1.1 alone: send a body without the header Upgrade",
)
_HEAD_TOO_LARGE = _written(
    "head_too_large", f"the head of the request has more than {HEAD_LIMIT_BYTES:,} bytes"
)
_CHUNKS_TOO_LARGE = _written(
    "too_large",
    f"the body has more than {CHUNKED_LIMIT_BYTES:,} bytes with its chunks, more than "
    f"{MOST_CHUNKS:,} chunks, or more than {MOST_TRAILERS} trailers",
)
_HEAD_TOO_SLOW = _written(
    "too_slow", f"the head of the request took longer than {HEAD_TIMEOUT_S:.0f} s"
)
_BODY_TOO_SLOW = _written(
    "too_slow", f"the body of the request took longer than {BODY_TIMEOUT_S:.0f} s"
)
_TOO_MANY_CONNECTIONS = _written(
    "too_many_connections", "this server has as many connections as it may have"
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
            self._write(data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._write(head)

    def _write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError:
            # uvloop's, where the client has left and uvicorn was not yet told.
            if not self.is_closing():
                raise


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the limits that it lacks.

    A request that comes in one piece, as almost all do, sets one timer, that of its head.
    """

    limit = MOST_CONNECTIONS
    """How many connections there may be."""
    _head_bytes = 0
    _arriving_bytes = 0
    _body_bytes = 0
    _head_count = 0
    _chunks = 0
    _refusal = _MALFORMED
    _reading_head = True
    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joining = _JoiningTransport(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, joining))
        if len(self.connections) > self.limit:
            self._end_with(_TOO_MANY_CONNECTIONS)
        else:
            self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_body_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_reading_head = self._reading_head
        self._arriving_bytes = len(data)
        super().data_received(data)
        if self._reading_head:
            if was_reading_head:
                self._head_bytes += len(data)
            self._start_head_timer()
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._end_with(_HEAD_TOO_LARGE)
        elif self.cycle.more_body:
            self._body_bytes += len(data)
            self._start_body_timer()
            if self._has_too_large_chunks():
                self._end_with(_CHUNKS_TOO_LARGE)
        elif self._body_timer is not None:
            self._stop_body_timer()
        elif self.cycle.response_complete:
            # Blank lines between requests: they put off the end of an idle connection.
            self._start_head_timer()

    def send_400_response(self, msg: str) -> None:
        self._end_with(self._refusal)

    def on_message_begin(self) -> None:
        self._reading_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._head_bytes + self._arriving_bytes > HEAD_LIMIT_BYTES:
            self._expect_small_head()
        super().on_headers_complete()
        self._reading_head = False
        self._body_bytes = 0
        self._chunks = 0
        self._head_count = len(self.headers)
        self._stop_head_timer()

    def on_chunk_header(self) -> None:
        """Called by the parser at the begin of each chunk."""
        self._chunks += 1
        if self._chunks > MOST_CHUNKS:
            self._refuse(_CHUNKS_TOO_LARGE)

    def _should_upgrade(self) -> bool:
        """Asked by uvicorn where the client asks for another protocol; there is none.

        The parser takes a body for the other protocol's, and it would be lost.
        """
        names = {name for name, _ in self.headers}
        if names & {b"content-length", b"transfer-encoding"}:
            self._refuse(_UPGRADE_WITH_BODY)
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """What comes after such a request the parser leaves to the other protocol."""
        self.cycle.keep_alive = False

    def _expect_small_head(self) -> None:
        """A head may have come in one piece with what follows it."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_LIMIT_BYTES:
            self._refuse(_HEAD_TOO_LARGE)

    def _refuse(self, answer: bytes) -> None:
        """Have the parser stop, and what it calls then send this."""
        self._refusal = answer
        raise ValueError("refused")

    def _has_too_large_chunks(self) -> bool:
        if self._body_bytes > CHUNKED_LIMIT_BYTES:
            return any(name == b"transfer-encoding" for name, _ in self.headers)
        return len(self.headers) > self._head_count + MOST_TRAILERS

    def _end_with(self, answer: bytes) -> None:
        """Answer and close; where another answer has begun, only close."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        answering = cycle is not None and cycle.response_started and not cycle.response_complete
        if not answering and not self.pipeline:
            self.transport.write(answer)
        self.transport.close()

    # -- time ----------------------------------------------------------------------------------

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
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_too_slow)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        if self._head_bytes:
            self._end_with(_HEAD_TOO_SLOW)
        else:
            self.transport.close()

    def _start_body_timer(self) -> None:
        if self._body_timer is None:
            self._body_timer = self.loop.call_later(BODY_TIMEOUT_S, self._body_too_slow, self.cycle)

    def _stop_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _body_too_slow(self, of: RequestResponseCycle) -> None:
        self._body_timer = None
        if self._reading_head or of is not self.cycle:
            return
        if self.flow.read_paused:
            self._start_body_timer()
        elif of.response_complete:
            self.transport.close()
        else:
            self._end_with(_BODY_TOO_SLOW)


class EmbeddedServer(uvicorn.Server):
    """uvicorn in a loop of ours, which leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Accept no more and finish what is in flight; then `serve` returns."""
        self.should_exit = True


def embedded_server(
    application: Any, *, grace_s: int, most_connections: int = MOST_CONNECTIONS
) -> EmbeddedServer:
    """A server for an ASGI application; `serve(sockets=[…])` it. Stopping takes `grace_s`."""

    class Protocol(GuardedProtocol):
        limit = most_connections

    return EmbeddedServer(
        uvicorn.Config(
            application,
            http=Protocol,
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


def connections_that_fit() -> int:
    """How many connections this process may have; its limit on open files is raised for them.

    Some files are kept for what is no connection.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_CONNECTIONS + _RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - _RESERVED_FILES, files // 2)
