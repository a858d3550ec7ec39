"""Waiting is free (promise 5).

Proven with a real server: thousands of executions that sleep take no slot of the running limit,
survive a crash, and are not loaded by the server that starts after it, which answers at once; those
whose time came while there was no server go on as soon as there is one.
"""

import asyncio
import time
from collections.abc import Awaitable
from datetime import datetime
from pathlib import Path

import httpx

from perdure.worker.host import CACHED
from tests.support.records import Records
from tests.support.served.load import EVENT
from tests.support.servers import SERVED, Api, server, until, until_true

MANY = 2_000
DUE_SOON = 50
"""Of these the time comes while the server is down."""
RUNNING_LIMIT = 20
CONNECTIONS = 20
DRIVEN_OUT = 120


async def test_thousands_wait_at_no_cost(tmp_path: Path) -> None:
    environ = {"PERDURE_MAX_RUNNING": str(RUNNING_LIMIT)}
    async with server(tmp_path, SERVED / "slow.py", environ=environ) as served:
        asleep = await start_sleeping(served.api, "1h", MANY - DUE_SOON)
        soon = await start_sleeping(served.api, "1500ms", DUE_SOON)
        due = [await wakes_at(served.api, execution_id) for execution_id in soon]

        whole = await served.api.run("lingering", seconds=0)
        assert whole["result"] == "lingered and finished", "those that wait hold no slot"

        await served.kill()
        noted = served.diary.size
        await until_true(lambda: time.time() > max(due), "their time has come")
        assert served.diary.size == noted

        launched = time.monotonic()
        await served.start()
        assert time.monotonic() - launched < 10
        whole = await served.api.run("lingering", seconds=0)
        assert whole["result"] == "lingered and finished"

        async def woken() -> bool:
            heads = [await served.api.execution(execution_id) for execution_id in soon]
            return all(head["status"] == "completed" for head in heads)

        assert await until(woken, "those whose time has come go on", poll_s=0.1)
        begun = served.diary.begun(noted)
        assert {attempt.execution_id for attempt in begun} >= set(soon)
        assert not {attempt.execution_id for attempt in begun} & set(asleep)

        for execution_id in (asleep[0], asleep[MANY // 2], asleep[-1]):
            whole = await served.api.execution(execution_id, logs=100)
            assert whole["status"] == "running"
            assert [wait["kind"] for wait in whole["waiting_for"]] == ["timer"]
            assert [line["message"] for line in whole["logs"]] == ["started"]
        records = Records(served.data)
        rows = {row.execution_id: row for row in records.rows()}
        records.close()
        assert not [key for key in asleep if rows[key].active], "nothing for a worker to do"
        assert {rows[key].epoch for key in asleep} == {1}, "given to a worker once"

        response = await served.api.control(asleep[0], "cancel")
        assert response.json()["status"] == "cancelled", response.text


async def start_sleeping(api: Api, length: str, count: int) -> list[str]:
    """Start executions that sleep, over several connections; returns once all of them sleep."""
    started: list[str] = []

    async def start(share: int) -> None:
        for _ in range(share):
            started.append(await api.start("sleeping", length=length))

    shares = [count // CONNECTIONS + (n < count % CONNECTIONS) for n in range(CONNECTIONS)]
    await asyncio.gather(*map(start, shares))
    assert len(started) == count

    async def asleep() -> bool:
        return bool((await api.execution(max(started)))["waiting_for"])

    assert await until(asleep, "the last one sleeps")
    return started


async def wakes_at(api: Api, execution_id: str) -> float:
    """When a sleeping execution's time comes, in seconds since 1970."""

    async def waits() -> list[str]:
        return [wait["until"] for wait in (await api.execution(execution_id))["waiting_for"]]

    return datetime.fromisoformat((await until(waits, "it sleeps"))[0]).timestamp()


async def test_what_comes_while_a_worker_lets_go_is_not_missed(tmp_path: Path) -> None:
    """Workers keep a bounded number of waiting executions: each new one drives out the oldest.

    Here each is sent its event at the moment in which it is driven out.
    """
    async with server(tmp_path, SERVED / "load.py") as served:
        api = served.api
        waiting = await asyncio.gather(*(start_attentive(api) for _ in range(CACHED)))

        async def drive_out(execution_id: str, delay_s: float) -> None:
            response, newer = await asyncio.gather(
                after(delay_s, api.send_event(execution_id, EVENT, 5)), start_attentive(api)
            )
            assert response.status_code == 202
            waiting.append(newer)

        for number, execution_id in enumerate(waiting[:DRIVEN_OUT]):
            await drive_out(execution_id, number % 10 / 1000)
        for execution_id in waiting[DRIVEN_OUT:]:
            assert (await api.send_event(execution_id, EVENT, 5)).status_code == 202
        for execution_id in waiting:
            whole = await api.until_status(execution_id, "completed", within_s=10)
            assert whole["result"] == 7


async def start_attentive(api: Api) -> str:
    """Start an execution that will wait for an event."""
    return await api.start("attentive", first=1)


async def after(delay_s: float, request: Awaitable[httpx.Response]) -> httpx.Response:
    """Do something a little later."""
    await asyncio.sleep(delay_s)
    return await request
