"""Limits: servers that answer too much, too slowly, wrongly or never. Times are injected."""

import asyncio
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec
import pytest

from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls, HttpLimits
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure
from perdure.ports.calls import HttpRequest
from tests.support.eventually import eventually
from tests.support.http_answers import Answering, Asked, answer, answering, raw

JSON = {"content-type": "application/json"}
gzipped = partial(gzip.compress, mtime=0)
"""Without the time: cases are named by their bytes, and have one name in all processes of a run."""
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"


@contextlib.asynccontextmanager
async def called(**limits: Any) -> AsyncIterator[HttpCalls]:
    calls = HttpCalls(Egress(["127.0.0.1"]), limits=HttpLimits(**limits))
    try:
        yield calls
    finally:
        await calls.close()


async def call(url: str, options: dict[str, Any] | None = None, **limits: Any) -> Any:
    async with called(**limits) as calls:
        request = HttpRequest(**{"method": "get", "uri": url, **(options or {})})
        return msgspec.json.decode(await calls.http(request))


async def failed(
    handle: Answering, options: dict[str, Any] | None = None, **limits: Any
) -> Failure:
    async with answering(handle) as server:
        with pytest.raises(FailedError) as caught:
            await call(server.url + "/x", options, **limits)
        await eventually(lambda: not server.open)
    failure = caught.value.failure
    assert failure.type.endswith("/errors/communication")
    assert failure.detail.startswith(("GET http://127.0.0.1", "POST http://127.0.0.1"))
    return failure


def endless(head: bytes, part: bytes, pause_s: float = 0.0) -> Answering:
    """Answers with a head, and the same part again and again."""

    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return handle


async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asked.gone()


# -- too slow --------------------------------------------------------------------------------


async def test_a_slow_drip_ends_with_the_total_time() -> None:
    drip = endless(CHUNKED + b"\r\n", b"1\r\nx\r\n", pause_s=0.005)
    failure = await failed(drip, total_s=0.2)
    assert (failure.status, failure.title) == (504, "No answer")
    assert "the answer was not complete after 0.2 s" in failure.detail


async def test_a_head_that_drips_ends_with_the_total_time() -> None:
    failure = await failed(endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", 0.005), total_s=0.2)
    assert failure.status == 504


async def test_a_silent_server() -> None:
    failure = await failed(silent, silent_s=0.05)
    assert failure.status == 504
    assert "127.0.0.1 has gone silent" in failure.detail


async def test_a_body_that_falls_silent() -> None:
    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
        await silent(asked, writer)

    assert (await failed(handle, silent_s=0.05)).status == 504


async def test_redirects_share_the_total_time() -> None:
    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await answer(302, b"", {"location": "/again"})(asked, writer)

    assert (await failed(handle, {"redirect": True}, total_s=0.12)).status == 504


async def test_the_text_of_an_error_is_not_waited_for() -> None:
    head = b"HTTP/1.1 503 Unavailable\r\ntransfer-encoding: chunked\r\n\r\n"
    failure = await failed(endless(head, b"1\r\nx\r\n", 0.005), error_text_s=0.1)
    assert failure.status == 503
    assert failure.detail.count("x") > 2


async def test_a_server_that_does_not_take_the_request() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done.append(writer)

    done: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(stuck, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        options = {"method": "put", "body": ["x" * 100_000] * 20}
        with pytest.raises(FailedError) as caught:
            await call(url, options, silent_s=0.1)
        done[0].transport.abort()
    assert caught.value.failure.status == 504


async def test_all_connections_in_use() -> None:
    drip = endless(CHUNKED + b"\r\n", b"1\r\nx\r\n", pause_s=0.005)
    async with answering(drip) as server, called(connections=1, silent_s=0.2) as calls:
        first = asyncio.create_task(calls.http(HttpRequest(method="get", uri=server.url)))
        await eventually(lambda: server.asked)
        with pytest.raises(FailedError, match="all connections of the worker") as caught:
            await calls.http(HttpRequest(method="get", uri=server.url))
        assert not first.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert caught.value.failure.status == 503


# -- too much --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "handle",
    [
        endless(CHUNKED + b"\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536),
        endless(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"x" * 65_536),
        endless(CHUNKED + b"content-encoding: gzip\r\n\r\n", b"14\r\n" + gzipped(b"") + b"\r\n"),
    ],
)
async def test_an_endless_body(handle: Answering) -> None:
    failure = await failed(handle, body_bytes=200_000)
    assert (failure.status, failure.title) == (502, "The answer cannot be used")
    assert "more than 200,000 bytes" in failure.detail


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_is_undone_no_further_than_the_limit(coding: str) -> None:
    engine = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    bomb = b"".join(engine.compress(bytes(1 << 20)) for _ in range(200)) + engine.flush()
    headers = {"content-encoding": coding}
    tracemalloc.start()
    try:
        failure = await failed(answer(200, bomb, headers))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 2,097,152 bytes" in failure.detail
    assert peak < 20 << 20
    assert (await failed(answer(500, bomb, headers))).status == 500


@pytest.mark.parametrize("output", ["content", "raw", "response"])
async def test_a_body_at_the_limit(output: str) -> None:
    async with answering(answer(200, b"x" * 1_000)) as server:
        assert await call(server.url, {"output": output}, body_bytes=1_000)
        with pytest.raises(FailedError, match="more than 999 bytes"):
            await call(server.url, {"output": output}, body_bytes=999)


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"\x01" * (VALUE_LIMIT_BYTES // 2), {}),
        (b"x" * (VALUE_LIMIT_BYTES - 10), {"output": "raw"}),
        (b"x" * VALUE_LIMIT_BYTES, {}),
    ],
)
async def test_an_output_that_is_over_the_limit_once_it_is_json(
    body: bytes, options: dict[str, Any]
) -> None:
    failure = await failed(answer(200, body, {"content-type": "text/plain"}), options)
    assert failure.status == 502
    assert "the output of the call has" in failure.detail


@pytest.mark.parametrize(
    "handle",
    [
        raw(b"HTTP/1.1 200 OK\r\n" + b"x-long: " + b"x" * 300_000 + b"\r\n\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 1_000),
        endless(b"", b"HTTP/1.1 200 " + b"x" * 1_000),
        endless(CHUNKED + b"\r\n1", b";ext" * 1_000),
        endless(CHUNKED + b"\r\n0\r\n", b"trailer: x\r\n" * 1_000),
    ],
)
async def test_endless_heads_chunks_and_trailers(handle: Answering) -> None:
    assert (await failed(handle)).status == 502


async def test_endless_interim_answers_end_with_the_total_time() -> None:
    failure = await failed(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001), total_s=0.2)
    assert failure.status == 504


# -- wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nconte", "disconnected"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123", "closed"),
        (CHUNKED + b"\r\n5\r\nab", "closed"),
        (CHUNKED + b"\r\nnonsense\r\n", ""),
        (b"SSH-2.0-OpenSSH\r\n", ""),
        (b"HTTP/2 200\r\n\r\n", ""),
        (b"HTTP/1.1 OK\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", ""),
    ],
)
async def test_what_is_no_http(data: bytes, said: str) -> None:
    failure = await failed(raw(data))
    assert (failure.status, failure.title) == (502, "The answer cannot be used")
    assert said in failure.detail
    assert len(failure.detail) < 300


@pytest.mark.parametrize(
    ("coding", "body", "said"),
    [
        ("br", b"x", "compressed with 'br'"),
        ("gzip, gzip", gzipped(gzipped(b"x")), "compressed with 'gzip, gzip'"),
        ("gzip", b"no gzip", "cannot be decompressed"),
        ("gzip", gzipped(b"x" * 1_000)[:-9], "breaks off"),
        ("gzip", gzipped(b"x") + b"rubbish", "cannot be decompressed"),
        ("deflate", b"\xff\xff\xff", "cannot be decompressed"),
    ],
)
async def test_what_cannot_be_decompressed(coding: str, body: bytes, said: str) -> None:
    failure = await failed(answer(200, body, {"content-encoding": coding}))
    assert failure.status == 502
    assert said in failure.detail
    assert (await failed(answer(404, body, {"content-encoding": coding}))).status == 404


@pytest.mark.parametrize(
    "body", [b"{", b"NaN", b'{"a": 1}}', b"<html>", b"[" * 100_000, '{"ü": 1}'.encode("utf-16")]
)
async def test_what_says_it_is_json_and_is_none(body: bytes) -> None:
    failure = await failed(answer(200, body, JSON))
    assert failure.status == 502
    assert "says that it is JSON" in failure.detail


# -- cancelling ------------------------------------------------------------------------------


async def test_a_cancelled_call_closes_its_connection() -> None:
    drip = endless(CHUNKED + b"\r\n", b"1\r\nx\r\n", pause_s=0.005)
    for handle in (drip, silent):
        async with answering(handle) as server, called() as calls:
            task = asyncio.create_task(calls.http(HttpRequest(method="get", uri=server.url)))
            await eventually(lambda: server.asked)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await eventually(lambda: not server.open)


async def test_a_failed_call_does_not_disturb_the_next() -> None:
    replies = [raw(b"nonsense\r\n\r\n"), answer(500, b"x" * 1_000_000), answer(200, b"1", JSON)]

    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await replies.pop(0)(asked, writer)

    async with answering(handle) as server, called() as calls:
        request = HttpRequest(method="get", uri=server.url)
        for status in (502, 500):
            with pytest.raises(FailedError) as caught:
                await calls.http(request)
            assert caught.value.failure.status == status
        assert await calls.http(request) == b"1"
