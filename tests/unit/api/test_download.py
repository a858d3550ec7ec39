"""A log as a file."""

import asyncio
import gzip
from typing import Any

import pytest
from starlette.types import Message

from perdure.api.codings import takes_gzip
from perdure.ports.logs import FileForm, LogFile, LogFilter
from perdure.ports.runtime import RefusedError
from tests.unit.api.fakes import ID, FakeRuntime, connected
from tests.unit.api.test_app import BODY, LEFT, Connection, a_scope, called

DOWNLOAD = f"/api/executions/{ID}/logs/download"
PLAIN = {"Accept-Encoding": "identity"}


def giving(*parts: bytes | Exception) -> FakeRuntime:
    runtime = FakeRuntime()
    runtime.parts = list(parts)
    return runtime


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [
        ("text", "text/plain; charset=utf-8", "log"),
        ("json", "application/json", "json"),
        ("ndjson", "application/x-ndjson", "ndjson"),
    ],
)
async def test_a_file_is_called_what_it_is(form: FileForm, media_type: str, suffix: str) -> None:
    runtime = giving(b"one\n", b"", b"two\n")
    async with connected(runtime) as client:
        answer = await client.get(DOWNLOAD, params={"format": form}, headers=PLAIN)
    assert (answer.status_code, answer.content) == (200, b"one\ntwo\n")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{ID}.{suffix}"'
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-encoding" not in answer.headers
    assert runtime.asked == [(ID, LogFile(form=form), False)]
    assert runtime.downloads[0].closed


async def test_it_takes_the_filters_of_pages() -> None:
    runtime = giving()
    query = "order=-seq&min_level=ERROR&task=/a&q=x&until=1970-01-01T00:00:01Z"
    async with connected(runtime) as client:
        answer = await client.get(f"{DOWNLOAD}?{query}", headers=PLAIN)
    assert (answer.status_code, answer.content) == (200, b"")
    wanted = LogFilter(levels=("ERROR",), position="/a", text="x", until=1000)
    assert runtime.asked == [(ID, LogFile(form="text", filter=wanted, descending=True), False)]


@pytest.mark.parametrize("query", ["limit=5", "cursor=abc", "format=csv", "format=", "format=TEXT"])
async def test_what_makes_no_sense_of_a_file_is_refused(query: str) -> None:
    runtime = giving()
    async with connected(runtime) as client:
        answer = await client.get(f"{DOWNLOAD}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    location = "?" + query.partition("=")[0]
    assert [error["location"] for error in answer.json()["errors"]] == [location]
    assert runtime.asked == []


async def test_what_is_no_execution_has_no_file() -> None:
    runtime = giving()
    async with connected(runtime) as client:
        answer = await client.get("/api/executions/nope/logs/download")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_execution")
        runtime.refusal = RefusedError("unknown_execution", "there is none")
        assert (await client.get(DOWNLOAD)).status_code == 404


async def test_too_many_at_once_are_told_when_to_come_again() -> None:
    runtime = giving()
    runtime.refusal = RefusedError("overloaded", "16 downloads", retry_after_s=5)
    async with connected(runtime) as client:
        answer = await client.get(DOWNLOAD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_it_is_compressed_where_that_is_taken() -> None:
    runtime = giving(gzip.compress(b"one\n"))
    async with connected(runtime) as client:
        answer = await client.get(DOWNLOAD, headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    assert answer.content == b"one\n"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert runtime.asked == [(ID, LogFile(), True)]


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        ([], False),
        ([b""], False),
        ([b"gzip"], True),
        ([b"GZip"], True),
        ([b"x-gzip"], True),
        ([b"deflate, gzip;q=1.0, *;q=0.5"], True),
        ([b"gzip;q=0"], False),
        ([b"gzip;q=0.000"], False),
        ([b"gzip ; Q=0.001"], True),
        ([b"*"], True),
        ([b"*;q=0"], False),
        ([b"*, gzip;q=0, x-gzip;q=0"], False),
        ([b"br", b"gzip"], True),
        ([b"br,, ,gzip,"], True),
        ([b"identity"], False),
        ([b"identity, gzip"], True),
        ([b"identity, gzip;q=0.9"], False),
        ([b"identity;q=0.1, gzip;q=0.9"], True),
        ([b"identity;q=0"], False),
        ([b"gzip;q=2"], False),
        ([b"gzip;q=x"], False),
        ([b"gzip;level=9"], False),
        ([b"gzip\xff"], False),
        ([b"gzip," * 10_000], False),
        ([b"gzip" + b" " * 4000 + b"x"], False),
    ],
)
def test_who_takes_gzip(lines: list[bytes], taken: bool) -> None:
    assert takes_gzip(lines) is taken


async def test_head_reads_nothing() -> None:
    runtime = giving(b"one\n")
    async with connected(runtime) as client:
        answer = await client.head(DOWNLOAD, headers=PLAIN)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"] == f'attachment; filename="{ID}.log"'
    assert (runtime.downloads[0].given, runtime.downloads[0].closed) == (0, True)


class Listening(Connection):
    """A client that has sent its request; if it `leaves`, then when it has got `parts` parts."""

    def __init__(self, parts: int, *, leaves: bool = True) -> None:
        super().__init__(BODY)
        self._parts = parts
        self._left = asyncio.Event()
        self.has_parts = asyncio.Event()
        if leaves:
            self._left = self.has_parts

    async def receive(self) -> Message:
        if self.unread:
            return await super().receive()
        await self._left.wait()
        return LEFT

    async def send(self, message: Message) -> None:
        await super().send(message)
        if len(self.sent) > self._parts:
            self.has_parts.set()


async def test_nothing_more_is_read_for_a_client_that_left() -> None:
    runtime = giving(*[b"part"] * 1000)
    connection = Listening(3)
    sent = await called(runtime, a_scope("GET", DOWNLOAD), connection)
    download = runtime.downloads[0]
    assert download.closed
    assert download.given < 10
    assert all(message.get("more_body", True) for message in sent)
    assert {task for task in asyncio.all_tasks() if not task.done()} == {asyncio.current_task()}


async def test_a_client_whose_connection_breaks_leaves_nothing() -> None:
    runtime = giving(*[b"part"] * 3)
    await called(runtime, a_scope("GET", DOWNLOAD), Connection(BODY, gone=True))
    assert runtime.downloads[0].closed


async def test_a_file_that_cannot_be_read_to_its_end_is_not_ended() -> None:
    """The server then breaks the connection: the client sees that something is missing."""
    runtime = giving(b"part", RuntimeError("the disk is gone"))
    connection = Listening(0, leaves=False)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        await called(runtime, a_scope("GET", DOWNLOAD), connection)
    assert runtime.downloads[0].closed
    last: dict[str, Any] = dict(connection.sent[-1])
    assert (last["body"], last["more_body"]) == (b"part", True)


async def test_a_download_that_is_stopped_is_closed() -> None:
    runtime = giving(*[b"part"] * 1000)
    connection = Listening(3, leaves=False)
    serving = asyncio.create_task(called(runtime, a_scope("GET", DOWNLOAD), connection))
    await connection.has_parts.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert runtime.downloads[0].closed
