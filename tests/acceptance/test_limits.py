"""Nothing is unbounded (promise 6): what is too much is refused, cut or failed, and says so."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.executions import OWN, begun, ended, lines, told
from tests.acceptance.prober import probing
from tests.support.servers import ADMIN_KEY, SERVED, Api, server, until_true

MODULE = SERVED / "hostile_volume.py"
INBOX_LIMIT = 10_000
SENDERS = 10
MB = 1024 * 1024
LOG_QUOTA_BYTES = 10 * MB
LONGEST_MESSAGE = 64 * 1024


# -- logs --------------------------------------------------------------------------------------


async def logged(
    api: Api, where: str, count: int, length: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run what logs so many lines of this length, with the API asked all the time: its log."""
    execution_id = await api.start("logs", where=where, lines=count, length=length)
    async with probing(api, execution_id):
        execution = await ended(api, execution_id, within_s=60.0)
    assert (execution["status"], execution["result"]) == ("completed", count)
    found = await api.logs(execution_id, limit=10_000)
    assert [line["seq"] for line in found] == list(range(1, len(found) + 1))
    assert found[0]["message"] == "started"
    assert found[-1]["message"].startswith("completed in ")
    return execution, found


@pytest.mark.parametrize("where", ["loop", "thread", "process", "workflow"])
async def test_a_hundred_thousand_lines(tmp_path: Path, where: str) -> None:
    """All are kept where the logging call can wait; else it is told how many were dropped. What
    is over the quota is not kept, which is told too; the end of the story always is.
    """
    async with server(tmp_path, MODULE) as its:
        _, found = await logged(its.api, where, 100_000, 20)
        kept = [line["message"] for line in found[1:-1]]
        if where in ("thread", "process"):
            assert kept == [f"{number} {'x' * 20}" for number in range(100_000)]
        else:
            assert kept[:-1] == [f"{number} {'x' * 20}" for number in range(len(kept) - 1)]
            assert kept[-1] == (
                f"{100_000 - len(kept) + 1:,} lines were dropped here: they came faster than they "
                "could be kept"
            )
        if where in ("thread", "workflow"):
            _, found = await logged(its.api, where, 300, MB)
            sizes = [len(line["message"]) for line in found]
            assert max(sizes) < LONGEST_MESSAGE + 100
            assert "more characters)" in found[1]["message"]
            if where == "thread":
                assert sum(sizes) <= LOG_QUOTA_BYTES
                assert found[-2]["message"] == (
                    "log quota of 10,485,760 bytes reached: further lines are not kept"
                )


async def test_odd_lines(tmp_path: Path) -> None:
    """What cannot be written, or not be shown, is kept as well as it can be."""
    async with server(tmp_path, MODULE) as its:
        execution = await its.api.run("logs-oddly")
        assert execution["status"] == "completed"
        log = told(execution)
        assert log.count("half a pair: \\ud800") == 2
        assert log.count("too few arguments: %s %s (1,)") == 2
        assert "unprintable: %s" in log
        assert "a\nb\0c" in log
        fields = next(line["fields"] for line in execution["logs"] if line["fields"])
        assert fields["c"] == "\\ud800"


# -- many of everything ------------------------------------------------------------------------


async def test_many_tasks_and_long_journals(tmp_path: Path) -> None:
    """Thousands of tasks at once; generation after generation; and a journal that is full, by its
    batches and by its bytes.
    """
    async with server(tmp_path, MODULE) as its:
        api = its.api
        other = await api.start("quick")

        async with probing(api, other):
            execution = await ended(api, await api.start("gathers", branches=5_000))
        assert execution["result"] == sum(range(5_000))

        execution = await ended(api, await api.start("continues", left=200))
        assert execution["result"] == 200
        assert told(execution).count("continued as new") == 199

        large = 1_900_000
        async with probing(api, other):
            execution = await ended(api, await api.start("hoards-results", rounds=40, size=large))
        check_journal_limit(execution)

        async with probing(api, other):
            steps = await api.start("steps", rounds=60, branches=1_000)
            execution = await ended(api, steps, within_s=90.0)
        check_journal_limit(execution)


def check_journal_limit(execution: dict[str, Any]) -> None:
    assert execution["status"] == "failed"
    assert execution["error"]["type"] == OWN + "journal-limit"
    assert "at most 50,000 batches or 50 MB: continue as new" in execution["error"]["detail"]


# -- the inbox ---------------------------------------------------------------------------------


async def test_a_full_inbox(tmp_path: Path) -> None:
    """It is told to whoever sends the next event; those that fit are delivered, in the order of
    each sender.
    """
    async with server(tmp_path, MODULE) as its:
        api = its.api
        execution_id = await api.start("collects", number=INBOX_LIMIT)
        assert (await api.control(execution_id, "pause")).status_code == 200
        other = await api.start("quick")
        async with probing(api, other):
            path = f"/api/executions/{execution_id}/events/item"
            parts = [range(part, INBOX_LIMIT, SENDERS) for part in range(SENDERS)]
            await asyncio.gather(*(send_all(its.port, path, part) for part in parts))
        refused = await api.send_event(execution_id, "item", -1)
        assert refused.status_code == 429
        assert refused.json()["code"] == "inbox_full"
        assert int(refused.headers["retry-after"]) > 0
        await api.control(execution_id, "resume")
        execution = await ended(api, execution_id)
        for part in range(SENDERS):
            received = [number for number in execution["result"] if number % SENDERS == part]
            assert received == list(range(part, INBOX_LIMIT, SENDERS))


async def send_all(port: int, path: str, numbers: range) -> None:
    """Send these as events over one connection, a hundred requests at a time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for first in range(0, len(numbers), 100):
        for number in numbers[first : first + 100]:
            body = json.dumps({"data": number}).encode()
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
        for _ in range(100):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202"), head
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


# -- the running limit -------------------------------------------------------------------------


async def noted(api: Api, trace: Path, text: str, *, seconds: float, priority: int = 0) -> str:
    """Start something that notes when it begins and ends; its status in the answer."""
    inputs = {"trace": str(trace), "text": text, "seconds": seconds}
    body = {"inputs": inputs, "priority": priority}
    response = await api.http.post("/api/workflows/notes/execute", json=body)
    assert response.status_code == 202, response.text
    status = response.json()["status"]
    assert isinstance(status, str)
    assert (response.json()["started_at"] is None) == (status == "pending")
    return status


async def test_the_running_limit_and_the_order_of_what_is_pending(tmp_path: Path) -> None:
    """By priority, then by age; and no more at once than may run."""
    async with server(tmp_path, MODULE, environ={"PERDURE_MAX_RUNNING": "1"}) as its:
        api = its.api
        trace = tmp_path / "trace"
        assert await noted(api, trace, "first", seconds=1.0) == "running"
        await begun(trace)
        for number, priority in enumerate((0, 5, -5, 1000, 0, 5, -1000)):
            text = f"{priority} {number}"
            assert await noted(api, trace, text, seconds=0.0, priority=priority) == "pending"
        cancel = next(x for x in await api.executions() if x["status"] == "pending")
        response = await api.control(cancel["execution_id"], "cancel")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        order = ["first", "1000 3", "5 1", "5 5", "0 0", "0 4", "-5 2"]
        await until_true(lambda: len(lines(trace)) == 2 * len(order), "all have run")
        assert lines(trace) == [f"{sign}{text}" for text in order for sign in "+-"]
