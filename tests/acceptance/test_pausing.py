"""Pausing: at once, nothing new begins, and nothing that comes meanwhile is lost."""

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.executions import begun, ended, lines, told
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_cleanup.py"
PAUSE_S = 2.0


async def paused(api: Api, execution_id: str) -> None:
    """Pause an execution; it is paused when this is answered."""
    response = await api.control(execution_id, "pause")
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "paused"
    again = await api.control(execution_id, "pause")
    assert (again.status_code, again.json()["code"]) == (409, "already_paused")


async def resumed(api: Api, execution_id: str) -> dict[str, Any]:
    """Resume an execution, which has to complete then."""
    assert (await api.execution(execution_id))["status"] == "paused"
    response = await api.control(execution_id, "resume")
    assert response.status_code == 200, response.text
    execution = await ended(api, execution_id)
    assert execution["status"] == "completed"
    story = told(execution).splitlines()
    assert story.index("paused") < story.index("resumed")
    return execution


async def check_task(api: Api, trace: Path) -> None:
    """The attempt that runs ends and is recorded, and is not made again; the next begins later."""
    execution_id = await api.start("works", trace=str(trace))
    await begun(trace)
    await paused(api, execution_id)
    await begun(trace, 2)
    await asyncio.sleep(PAUSE_S - 1.0)
    assert lines(trace) == ["first begins", "first ends"]
    assert (await resumed(api, execution_id))["result"] == ["first", "second"]
    assert lines(trace) == ["first begins", "first ends", "second begins", "second ends"]
    tasks = await api.tasks(execution_id)
    assert [(task["status"], task["attempt"]) for task in tasks] == [("completed", 1)] * 2


async def check_timer(api: Api) -> None:
    """A wait goes on where it stood, and says until when."""
    began_s = time.monotonic()
    execution_id = await api.start("naps", length="1500ms")
    await asyncio.sleep(0.3)
    (before,) = (await api.execution(execution_id))["waiting_for"]
    await paused(api, execution_id)
    await asyncio.sleep(PAUSE_S)
    assert (await api.control(execution_id, "resume")).status_code == 200
    (after,) = (await api.execution(execution_id))["waiting_for"]
    moved = datetime.fromisoformat(after["until"]) - datetime.fromisoformat(before["until"])
    assert moved >= timedelta(seconds=PAUSE_S)
    assert (await ended(api, execution_id))["status"] == "completed"
    assert time.monotonic() - began_s >= PAUSE_S + 1.5


async def check_events(api: Api) -> None:
    """They are kept, in their order, each once."""
    execution_id = await api.start("collects", count=5)
    await paused(api, execution_id)
    for number in range(5):
        sent = await api.send_event(execution_id, "item", number, event_id=f"id {number}")
        assert sent.status_code == 202
        sent = await api.send_event(execution_id, "item", number, event_id=f"id {number}")
        assert (sent.status_code, sent.json()["duplicate"]) == (200, True)
    assert (await resumed(api, execution_id))["result"] == [0, 1, 2, 3, 4]
    late = await api.send_event(execution_id, "item", 9)
    assert (late.status_code, late.json()["code"]) == (409, "already_ended")


async def check_retries(api: Api, trace: Path) -> None:
    """No further attempt begins."""
    execution_id = await api.start("retries", trace=str(trace), times=3)
    await begun(trace, 2)
    await paused(api, execution_id)
    tried = len(lines(trace))
    await asyncio.sleep(PAUSE_S)
    assert len(lines(trace)) == tried
    assert (await resumed(api, execution_id))["result"] == 4
    assert len(lines(trace)) == 4


async def check_cancel(api: Api, trace: Path) -> None:
    """A cancel lifts the pause, so that the cleanup runs."""
    execution_id = await api.start("cleans-up", trace=str(trace))
    await begun(trace)
    await paused(api, execution_id)
    response = await api.control(execution_id, "cancel")
    assert response.status_code in (200, 202), response.text
    assert (await ended(api, execution_id))["status"] == "cancelled"
    assert lines(trace)[:3] == ["hangs", "hung", "first"]
    assert set(lines(trace)[3:]) == {"second", "third"}


async def check_cleanup(api: Api, trace: Path) -> None:
    """What is being cancelled is not paused, and says once that it is."""
    execution_id = await api.start("cleans-up", trace=str(trace), seconds=1.0)
    await begun(trace)
    assert (await api.control(execution_id, "cancel")).status_code == 202
    refused = await api.control(execution_id, "pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert (await api.control(execution_id, "cancel")).status_code in (200, 202)
    assert told(await ended(api, execution_id)).splitlines().count("cancel requested") == 1


async def test_pauses(tmp_path: Path) -> None:
    """All at once, on one server."""
    async with server(tmp_path, MODULE, environ={"PERDURE_CANCEL_GRACE": "2s"}) as its:
        api = its.api
        await asyncio.gather(
            check_task(api, tmp_path / "task"),
            check_timer(api),
            check_events(api),
            check_retries(api, tmp_path / "retries"),
            check_cancel(api, tmp_path / "cancel"),
            check_cleanup(api, tmp_path / "cleanup"),
        )
        running = await api.start("naps", length="1h")
        response = await api.control(running, "resume")
        assert (response.status_code, response.json()["code"]) == (409, "not_paused")


STEPS = 12


async def check_log(api: Api) -> None:
    """However often it is paused, each line is there once, and nothing after the end."""
    execution_id = await api.start("chain", steps=STEPS)
    while True:
        response = await api.control(execution_id, "pause")
        if response.status_code != 200:
            break
        assert (await api.control(execution_id, "resume")).status_code == 200
    said = told(await ended(api, execution_id)).splitlines()
    assert [line for line in said if "adding" in line] == [f"adding {n}" for n in range(STEPS)]
    assert len([line for line in said if "after step" in line]) == STEPS
    assert said[-1].startswith("completed")


async def test_pauses_repeat_nothing_in_the_log(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py") as its:
        await asyncio.gather(*(check_log(its.api) for _ in range(30)))
