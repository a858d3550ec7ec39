"""A lean HTTP/1.1 load generator.

It keeps a fixed number of keep-alive connections busy with one request repeated, and measures
the time from writing a request to the last byte of its response. It shares the machine with the
server that it measures, so it does as little as it can for each response: the request is encoded
once, and the answer to one request sends the next from within the same callback.

Run it as a process of its own, so that its work is not counted as the server's::

    python -m benchmarks.load --url http://127.0.0.1:8000/api/workflows/x/execute \
        --connections 50 --requests 20000 --body '{"inputs": {}}' --header 'Prefer: wait=10'

It prints one JSON object, a `Report`.
"""

import argparse
import asyncio
import dataclasses
import json
import re
import time
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Self, cast
from urllib.parse import urlsplit

import uvloop

HEAD_LIMIT_BYTES = 64 * 1024
STATUSES_WITHOUT_BODY = frozenset({204, 304})

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |\r\n)")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")


class MalformedResponse(Exception):
    """The server's answer is not HTTP/1.1 as RFC 9112 has it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and the one request that is repeated."""

    host: str
    port: int
    request: bytes
    """The encoded request: request line, headers and body."""

    @classmethod
    def to(
        cls,
        url: str,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Self:
        """Encode a request to `url`, whose scheme must be http.

        `Host` and `Content-Length` are set here, and `Content-Type: application/json` where there
        is a body; `headers` override them. `HEAD` is refused: its answers announce a body that
        does not follow.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"expected an http:// URL, got {url!r}")
        if method == "HEAD":
            raise ValueError("HEAD requests are not offered")
        fields = {"host": parts.netloc.rpartition("@")[2], "content-length": str(len(body))}
        if body:
            fields["content-type"] = "application/json"
        fields.update((name.lower(), value) for name, value in (headers or {}).items())
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        head = "\r\n".join(lines) + "\r\n\r\n"
        return cls(parts.hostname, parts.port or 80, head.encode("latin-1") + body)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a run measured.

    Latencies are those of complete responses, whatever their status. `errors` counts answers
    outside 200 to 299 under their status, and requests without a complete answer under
    `connection` (lost or refused) or `malformed`.
    """

    requests: int
    seconds: float
    per_second: float
    median_ms: float
    p99_ms: float
    errors: dict[str, int]
    cpu_seconds: float
    """Processor time spent on generating the load."""


class ResponseReader:
    """Reads the responses of one connection, one request in flight at a time."""

    __slots__ = ("_received", "_until_close", "keep_alive", "status")

    def __init__(self) -> None:
        self._received = b""
        self._until_close = False
        self.status = 0
        self.keep_alive = True

    def feed(self, data: bytes) -> bool:
        """Take bytes in; true where they complete the response to the request in flight.

        Then `status` and `keep_alive` are that response's. Raises `MalformedResponse`.
        """
        if self._until_close:
            return False
        if self._received:
            data = self._received + data
        while True:
            head_end = data.find(b"\r\n\r\n")
            if head_end < 0:
                if len(data) > HEAD_LIMIT_BYTES:
                    raise MalformedResponse("the head of the response does not end")
                self._received = data
                return False
            body_start = head_end + 4
            self._read_status_line(data)
            if self.status >= 200:
                break
            data = data[body_start:]
        response_end = self._end_of_body(data, body_start)
        if response_end is None or response_end > len(data):
            self._received = data
            return False
        if response_end < len(data):
            raise MalformedResponse("bytes follow the response")
        self._received = b""
        return True

    def feed_end(self) -> bool:
        """Take the server's close; true where that completes a body without a length."""
        return self._until_close

    def _read_status_line(self, data: bytes) -> None:
        line = _STATUS_LINE.match(data)
        if line is None:
            raise MalformedResponse(f"not a status line: {data[:40]!r}")
        self.keep_alive = line[1] == b"1"
        self.status = int(line[2])

    def _end_of_body(self, data: bytes, body_start: int) -> int | None:
        """Find the offset after the body; None where it is not known yet (RFC 9112, 6.3)."""
        head = data[:body_start].lower()
        connection = _field(head, b"\r\nconnection:")
        if connection is not None:
            self.keep_alive = b"close" not in connection and (
                self.keep_alive or b"keep-alive" in connection
            )
        if self.status in STATUSES_WITHOUT_BODY:
            return body_start
        encoding = _field(head, b"\r\ntransfer-encoding:")
        if encoding is not None and encoding.endswith(b"chunked"):
            return _end_of_chunks(data, body_start)
        length = _field(head, b"\r\ncontent-length:")
        if length is not None:
            if not length.isdigit():
                raise MalformedResponse(f"not a length: {length[:40]!r}")
            return body_start + int(length)
        self._until_close = True
        self.keep_alive = False
        return None


def _field(head: bytes, marker: bytes) -> bytes | None:
    """Find the value of the header that `marker` begins, in a head in lower case."""
    start = head.find(marker)
    if start < 0:
        return None
    start += len(marker)
    return head[start : head.index(b"\r\n", start)].strip(b" \t")


def _end_of_chunks(data: bytes, position: int) -> int | None:
    """Find the offset after a chunked body and its trailers; None where more must come."""
    while True:
        line = _CHUNK_SIZE.match(data, position)
        if line is None:
            if data.find(b"\r\n", position) >= 0 or len(data) - position > HEAD_LIMIT_BYTES:
                raise MalformedResponse(f"not a chunk: {data[position : position + 40]!r}")
            return None
        size = int(line[1], 16)
        if size == 0:
            break
        position = line.end() + size + 2
        if position > len(data):
            return None
        if data[position - 2 : position] != b"\r\n":
            raise MalformedResponse("a chunk is longer than its size")
    if data.startswith(b"\r\n", line.end()):
        return line.end() + 2
    trailers_end = data.find(b"\r\n\r\n", line.end())
    return None if trailers_end < 0 else trailers_end + 4


class _Run:
    """The requests of one run, which begins at once: what is to be sent, what came of the rest."""

    def __init__(self, target: Target, connections: int, requests: int) -> None:
        self.target = target
        self.to_send = requests
        self.to_answer = requests
        self.latencies_seconds = array("d")
        self.errors: Counter[str] = Counter()
        self.loop = asyncio.get_running_loop()
        self.finished = self.loop.create_future()
        self.open_connections: set[_Connection] = set()
        self._dials: set[asyncio.Task[None]] = set()
        for _ in range(min(connections, requests)):
            self.dial()

    async def close(self) -> None:
        """Close what is still open and wait until it is."""
        self.to_send = 0
        for dial in self._dials:
            dial.cancel()
        for connection in self.open_connections:
            connection.abort()
        closings = [connection.closed for connection in self.open_connections]
        await asyncio.gather(*self._dials, *closings, return_exceptions=True)

    def dial(self) -> None:
        """Open a connection, which takes requests until there are none left to send."""
        dial = self.loop.create_task(self._dial())
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)

    async def _dial(self) -> None:
        try:
            await self.loop.create_connection(
                lambda: _Connection(self), self.target.host, self.target.port
            )
        except OSError:
            if self.to_send:
                self.to_send -= 1
                self.fail("connection")
                self.dial()

    def answer(self, status: int, latency_seconds: float) -> None:
        self.latencies_seconds.append(latency_seconds)
        if not 200 <= status < 300:
            self.errors[str(status)] += 1
        self._settle()

    def fail(self, error: str) -> None:
        self.errors[error] += 1
        self._settle()

    def _settle(self) -> None:
        self.to_answer -= 1
        if not self.to_answer and not self.finished.done():
            self.finished.set_result(None)


class _Connection(asyncio.Protocol):
    """One connection; after it is lost, another takes its place while requests are left."""

    __slots__ = ("_in_flight", "_reader", "_run", "_sent_at", "_transport", "closed")

    def __init__(self, run: _Run) -> None:
        self.closed = run.loop.create_future()
        self._run = run
        self._reader = ResponseReader()
        self._in_flight = False
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._run.open_connections.add(self)
        self._send()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._in_flight:
            self.abort()
            return
        try:
            complete = self._reader.feed(data)
        except MalformedResponse:
            self._in_flight = False
            self._run.fail("malformed")
            self.abort()
            return
        if complete:
            self._answered()
            if self._reader.keep_alive:
                self._send()
            else:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.open_connections.discard(self)
        self.closed.set_result(None)
        if self._in_flight:
            if exc is None and self._reader.feed_end():
                self._answered()
            else:
                self._in_flight = False
                self._run.fail("connection")
        if self._run.to_send:
            self._run.dial()

    def _send(self) -> None:
        run = self._run
        if not run.to_send:
            self._transport.close()
            return
        run.to_send -= 1
        self._in_flight = True
        self._sent_at = time.perf_counter()
        self._transport.write(run.target.request)

    def _answered(self) -> None:
        self._in_flight = False
        self._run.answer(self._reader.status, time.perf_counter() - self._sent_at)


async def generate_load(
    target: Target, *, connections: int, requests: int, timeout_seconds: float = 600
) -> Report:
    """Send `requests` requests over `connections` connections and report on their answers.

    Raises `TimeoutError` where that takes longer than `timeout_seconds`.
    """
    if connections < 1 or requests < 1:
        raise ValueError("at least one connection and one request are needed")
    cpu_started = time.process_time()
    started = time.perf_counter()
    run = _Run(target, connections, requests)
    try:
        async with asyncio.timeout(timeout_seconds):
            await run.finished
        seconds = time.perf_counter() - started
        cpu_seconds = time.process_time() - cpu_started
    finally:
        await run.close()
    latencies_seconds = sorted(run.latencies_seconds)
    return Report(
        requests=requests,
        seconds=seconds,
        per_second=requests / seconds,
        median_ms=_quantile(latencies_seconds, 0.5) * 1000,
        p99_ms=_quantile(latencies_seconds, 0.99) * 1000,
        errors=dict(sorted(run.errors.items())),
        cpu_seconds=cpu_seconds,
    )


def _quantile(ordered: list[float], fraction: float) -> float:
    """Pick the value that `fraction` of them do not exceed; 0 where there are none."""
    return ordered[int(fraction * (len(ordered) - 1))] if ordered else 0.0


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"expected 'Name: value', got {text!r}")
    return name.strip(), value.strip()


def main() -> None:
    """Run from the command line and print the report as JSON."""
    parser = argparse.ArgumentParser(description="Put load on an HTTP/1.1 server.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--method", default="POST")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--body", default="", help="the request's body, as it is sent")
    parser.add_argument("--header", type=_header, action="append", default=[], metavar="K: V")
    options = parser.parse_args()
    target = Target.to(
        options.url,
        method=options.method,
        headers=dict(options.header),
        body=options.body.encode(),
    )
    report = uvloop.run(
        generate_load(target, connections=options.connections, requests=options.requests)
    )
    print(json.dumps(dataclasses.asdict(report)))


if __name__ == "__main__":
    main()
