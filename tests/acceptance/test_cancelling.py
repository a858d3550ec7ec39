"""Cancelling runs the cleanup, durably and within its limit, and reaches awaited children."""

import asyncio
import os
from pathlib import Path
from signal import SIGKILL

from tests.acceptance.executions import begun, cancelled, ended, lines, told
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_cleanup.py"
CLEANUP_S = 3.0
ENVIRON = {"PERDURE_CANCEL_GRACE": "2s", "PERDURE_CLEANUP_TIMEOUT": "3s"}


async def hanging(api: Api, workflow: str, trace: Path) -> str:
    """Start an execution, and wait until a task of it hangs."""
    execution_id = await api.start(workflow, trace=str(trace))
    await begun(trace)
    return execution_id


async def test_cleanup(tmp_path: Path) -> None:
    """Tasks, waits and branches in `finally` and `except Cancelled`, to their ends."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        execution_id = await hanging(api, "cleans-up", tmp_path / "finally")
        execution, _ = await cancelled(api, execution_id)
        assert lines(tmp_path / "finally")[:3] == ["hangs", "hung", "first"]
        assert set(lines(tmp_path / "finally")[3:]) == {"second", "third"}
        assert "hang was cancelled; it stopped" in told(execution)
        again = await api.control(execution_id, "cancel")
        assert again.status_code == 409
        assert again.json()["code"] == "already_ended"
        assert again.json()["execution_status"] == "cancelled"

        execution_id = await api.start("catches", trace=str(tmp_path / "caught"))
        await cancelled(api, execution_id)
        assert lines(tmp_path / "caught") == ["caught"]

        execution_id = await hanging(api, "fails-in-cleanup", tmp_path / "fails")
        await api.control(execution_id, "cancel")
        execution = await ended(api, execution_id)
        assert execution["status"] == "failed"
        assert execution["error"]["detail"] == "the cleanup failed"
        assert lines(tmp_path / "fails") == ["hangs", "hung", "before"]


async def test_a_cancel_that_an_end_overtakes_tells_nothing(tmp_path: Path) -> None:
    """Where it is refused, the log ends with the end."""
    async with server(tmp_path, SERVED / "slow.py") as its:
        api = its.api

        async def race(number: int) -> int:
            execution_id = await api.start("lingering", seconds=0.5)
            await asyncio.sleep(0.4 + number / 800)
            response = await api.control(execution_id, "cancel")
            story = told(await ended(api, execution_id)).splitlines()
            if response.status_code == 409:
                assert story[-1].startswith("completed")
            else:
                assert story.count("cancel requested") == 1
            return response.status_code

        codes = await asyncio.gather(*(race(number) for number in range(100)))
        assert set(codes) <= {200, 202, 409}


async def test_cleanup_survives_its_worker(tmp_path: Path) -> None:
    """A cancel that comes again while it runs changes nothing, and neither does a dead worker."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        trace = tmp_path / "trace"
        execution_id = await api.start("cleans-up", trace=str(trace), seconds=0.5)
        await begun(trace)
        first = await api.control(execution_id, "cancel")
        assert (first.status_code, first.json()["status"]) == (202, "running")
        await begun(trace, 2)
        again = await api.control(execution_id, "cancel")
        assert (again.status_code, again.json()["status"]) == (202, "running")
        os.kill(its.workers()[0], SIGKILL)
        execution = await ended(api, execution_id)
        assert execution["status"] == "cancelled"
        assert lines(trace)[:3] == ["hangs", "hung", "first"]
        assert set(lines(trace)[3:]) == {"second", "third"}
        assert execution["cancel_requested_at"] is not None


async def test_cleanup_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    """One that goes on for ever, one that hangs, one that begins anew."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        workflows = ("cleans-up-for-ever", "hangs-in-cleanup", "starts-again")
        ids = [await hanging(api, workflow, tmp_path / workflow) for workflow in workflows]
        for execution, took_s in await asyncio.gather(*(cancelled(api, each) for each in ids)):
            assert CLEANUP_S - 0.5 < took_s < CLEANUP_S + 2.0
            assert "its cleanup took too long and was cut off" in told(execution)
        assert 10 <= len(lines(tmp_path / "cleans-up-for-ever")) <= 35
        assert lines(tmp_path / "starts-again")[:3] == ["hangs", "hung", "again"]


async def test_parents_and_children(tmp_path: Path) -> None:
    """A cancel reaches the children that are awaited, through all levels, and no others."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        trace = tmp_path / "family"
        await cancelled(api, await hanging(api, "parent", trace))
        assert lines(trace) == [
            "hangs",
            "hung",
            "child 1 cleaned up",
            "child 2 cleaned up",
            "parent cleaned up",
        ]
        family = [each for each in await api.executions() if each["workflow_id"] == "child"]
        assert [each["status"] for each in family] == ["cancelled", "cancelled"]

        trace = tmp_path / "let go"
        await cancelled(api, await hanging(api, "parent-that-lets-go", trace))
        child_id = lines(trace)[0]
        assert (await api.execution(child_id))["status"] == "running"
        assert (await api.send_event(child_id, "go", "on")).status_code == 202
        assert (await ended(api, child_id))["result"] == "on"

        trace = tmp_path / "child"
        parent_id = await hanging(api, "parent-of-a-cancelled-child", trace)
        running = [each for each in await api.executions() if each["status"] == "running"]
        child_id = next(x["execution_id"] for x in running if x["workflow_id"] == "child")
        await cancelled(api, child_id)
        assert (await ended(api, parent_id))["result"] == "urn:perdure:error:cancelled"


async def test_a_failing_branch_cancels_its_siblings(tmp_path: Path) -> None:
    """Tasks, waits, children and their cleanup; then the failure is raised."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        trace = tmp_path / "trace"
        execution = await ended(api, await api.start("failing-branch", trace=str(trace)))
        assert execution["status"] == "failed"
        assert execution["error"]["detail"] == "this branch fails"
        assert execution["error"]["instance"] == "/gather/0/fails"
        assert sorted(lines(trace)) == [
            "child 1 cleaned up",
            "hangs",
            "hangs",
            "hung",
            "hung",
            "sibling cleaned up",
        ]
        child = next(x for x in await api.executions() if x["workflow_id"] == "child")
        assert child["status"] == "cancelled"
        tasks = {task["name"]: task["status"] for task in await api.tasks(child["execution_id"])}
        assert tasks == {"hang": "cancelled", "note": "completed"}
