"""Logs as files, over HTTP: all of them, at a bounded cost, and whatever the client does."""

import asyncio
import contextlib
import gzip
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from perdure.engine.downloads import AT_ONCE
from perdure.ports.logs import NewLogRecord
from perdure.store.sqlite import SqliteStore
from tests.acceptance.executions import ended
from tests.acceptance.prober import probing
from tests.support.servers import ADMIN_KEY, SERVED, Server, server, until, until_true

MODULE = SERVED / "hostile_volume.py"
LINES = 200_000
MOST_GROWTH_BYTES = 10_000_000
MOST_GROWTH_OF_ALL_BYTES = 30_000_000
"""With as many downloads as there may be."""
QUOTA_BYTES = 1_000_000_000
START_MS = 1_771_864_200_000
decode = msgspec.json.decode
PLAIN = {"Accept-Encoding": "identity"}

linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it looks into /proc")


@contextlib.asynccontextmanager
async def serving_a_large_log(folder: Path) -> AsyncIterator[tuple[Server, str]]:
    """A server with an execution that logged LINES lines, written while no server has the file."""
    async with server(folder, MODULE) as its:
        execution_id: str = (await its.api.run("quick"))["execution_id"]
        await its.stop()
        store = SqliteStore.open(its.data, lambda told: None, log_quota_bytes=QUOTA_BYTES)
        for first in range(0, LINES, 1_000):
            store.logs.write([a_line(execution_id, n) for n in range(first, first + 1_000)])
        store.close()
        await its.start()
        yield its, execution_id


def a_line(execution_id: str, number: int) -> NewLogRecord:
    text = f"line {number} " + "with words " * 6
    fields = b'{"n":%d}' % number if number % 7 == 0 else None
    return NewLogRecord(execution_id, START_MS + number, "INFO", "count", text, fields)


def path_of(execution_id: str) -> str:
    return f"/api/executions/{execution_id}/logs/download"


def resident_bytes(its: Server) -> int:
    pages = Path(f"/proc/{its.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def held(its: Server) -> tuple[int, int]:
    """How many threads the server has, and how many connections."""
    process = Path(f"/proc/{its.pid}")
    sockets = 0
    for entry in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            sockets += entry.readlink().name.startswith("socket:")
    return len(list((process / "task").iterdir())), sockets


async def downloaded(its: Server, execution_id: str, **query: str) -> httpx.Response:
    return await its.api.http.get(path_of(execution_id), params=query, headers=PLAIN)


@linux
async def test_a_large_log_in_every_form(tmp_path: Path) -> None:
    async with serving_a_large_log(tmp_path) as (its, execution_id):
        warm = await downloaded(its, execution_id, task="nobody")
        assert (warm.status_code, warm.content) == (200, b"")
        before = peak = resident_bytes(its)
        size = count = 0
        stream = its.api.http.stream("GET", path_of(execution_id), headers=PLAIN)
        async with probing(its.api, execution_id), stream as response:
            async for part in response.aiter_bytes():
                size += len(part)
                count += part.count(b"\n")
                peak = max(peak, resident_bytes(its))
        assert size > 2 * MOST_GROWTH_BYTES
        assert peak - before < MOST_GROWTH_BYTES
        last = (await its.api.http.get(f"/api/executions/{execution_id}/logs?order=-seq")).json()
        assert count == last["logs"][0]["seq"] == LINES + 2

        text = (await downloaded(its, execution_id)).content
        assert (len(text), text.count(b"\n")) == (size, count)
        raw = httpx.AsyncClient(
            base_url=its.api.http.base_url, headers=its.api.http.headers, trust_env=False
        )
        accepting = {"Accept-Encoding": "gzip"}
        async with raw, raw.stream("GET", path_of(execution_id), headers=accepting) as response:
            assert response.headers["content-encoding"] == "gzip"
            compressed = b"".join([part async for part in response.aiter_raw()])
        assert len(compressed) < size / 5
        assert gzip.decompress(compressed) == text

        array = decode((await downloaded(its, execution_id, format="json")).content)
        assert [line["seq"] for line in array] == list(range(1, count + 1))
        lines = await downloaded(its, execution_id, format="ndjson", order="-seq")
        assert msgspec.json.Decoder().decode_lines(lines.content) == array[::-1]


@linux
async def test_clients_that_do_not_read_and_then_leave(tmp_path: Path) -> None:
    """Each holds a place, and nothing else that others need; when it leaves, nothing is left."""
    async with serving_a_large_log(tmp_path) as (its, execution_id):
        assert (await downloaded(its, execution_id, task="nobody")).status_code == 200
        request = (
            f"GET {path_of(execution_id)}?format=json HTTP/1.1\r\nhost: perdure.test\r\n"
            f"authorization: Bearer {ADMIN_KEY}\r\n\r\n"
        )
        before, before_bytes = held(its), resident_bytes(its)
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as clients:
            for _ in range(AT_ONCE):
                client = clients.enter_context(socket.create_connection(("127.0.0.1", its.port)))
                client.setblocking(False)
                await loop.sock_sendall(client, request.encode())
                assert (await loop.sock_recv(client, 100)).startswith(b"HTTP/1.1 200 ")
            refused = await downloaded(its, execution_id)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert int(refused.headers["retry-after"]) > 0
            async with probing(its.api, execution_id):
                pass
            assert resident_bytes(its) - before_bytes < MOST_GROWTH_OF_ALL_BYTES

        async def again() -> bool:
            return (await downloaded(its, execution_id, q="line 199999")).status_code == 200

        assert await until(again, "there is a place again")
        await until_true(lambda: held(its)[0] <= before[0] + 2, "its threads are as before")
        await until_true(lambda: held(its)[1] <= before[1] + 2, "its connections are as before")
        assert "Traceback" not in its.output


async def test_of_a_running_execution_there_is_what_was_there(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE, environ={"PERDURE_LOG_QUOTA": "100MB"}) as its:
        execution_id = await its.api.start("logs", where="thread", lines=60_000, length=50)

        async def has_lines() -> bool:
            lines = (await downloaded(its, execution_id, format="ndjson")).content.splitlines()
            seqs = [decode(line)["seq"] for line in lines]
            assert seqs == list(range(1, len(seqs) + 1))
            return len(seqs) > 100

        assert await until(has_lines, "there are some lines", poll_s=0)
        assert (await ended(its.api, execution_id))["status"] == "completed"
        text = (await downloaded(its, execution_id)).text
        assert text.count("\n") == 60_002


async def test_the_quota_is_told_in_the_file(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE, environ={"PERDURE_LOG_QUOTA": "10KB"}) as its:
        execution_id: str = (await its.api.run("logs", where="thread", lines=100, length=500))[
            "execution_id"
        ]
        lines = (await downloaded(its, execution_id)).text.splitlines()
        said = "log quota of 10,240 bytes reached: further lines are not kept"
        assert lines[-2].endswith(f"Z WARNING {said}")
        assert " INFO completed in " in lines[-1]
        assert 10 < len(lines) < 30
        by_task = (await downloaded(its, execution_id, task="logs_in_a_thread")).text.splitlines()
        assert by_task == lines[1:-2]
        position = "/logs_in_a_thread"
        assert (await downloaded(its, execution_id, task=position)).text.splitlines() == by_task
