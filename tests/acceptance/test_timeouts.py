"""Attempts that take too long are stopped, abandoned or killed, and recorded as timed out."""

import asyncio
from pathlib import Path
from typing import Any

from tests.acceptance.executions import (
    STANDARD,
    begun,
    ended,
    lines,
    told,
    until_one_worker,
)
from tests.acceptance.prober import probing
from tests.support.servers import SERVED, Api, server, until_true

MODULE = SERVED / "hostile_timing.py"
ENVIRON = {"PERDURE_CANCEL_GRACE": "2s"}
WORKER_KILL_S = 30.0

HOW_THEY_END = {
    "cooperates": "it stopped",
    "goes_on": "it did not stop and was abandoned",
    "stays_in_its_thread": "it did not stop and was abandoned",
    "process_has_children": "it did not stop and was killed",
}


async def timed_out(api: Api, folder: Path, task: str) -> tuple[dict[str, Any], list[int]]:
    """Run a task that runs out of time: its execution, and the processes that ran for it."""
    trace = folder / task
    execution_id = await api.start("times-out", task_name=task, trace=str(trace))
    execution = await ended(api, execution_id, within_s=WORKER_KILL_S)
    assert execution["status"] == "failed"
    assert execution["error"]["type"] == STANDARD + "timeout"
    assert execution["error"]["instance"] == f"/{task}"
    return execution, [int(line) for line in lines(trace)]


async def test_attempts_that_take_too_long(tmp_path: Path) -> None:
    """Each is tried once more as its policy says, and never overlaps more than it has to; workers
    with attempts that were abandoned are replaced, and none is left over.
    """
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        first = its.workers()
        ends = await asyncio.gather(*(timed_out(api, tmp_path, task) for task in HOW_THEY_END))
        for (task, how), (execution, pids) in zip(HOW_THEY_END.items(), ends, strict=True):
            for attempt in (1, 2):
                assert f"attempt {attempt} of {task} failed: Timed out" in told(execution)
            assert told(execution).count(how) == 2
            if task == "process_has_children":
                assert len(pids) > 2
                killed = set(pids)
            else:
                assert len(pids) == 2
        await until_true(lambda: not killed & its.processes().keys(), "its children are gone")
        assert (await api.run("in-time", count=50))["result"] == 50
        await until_one_worker(its)
        assert its.workers() != first


async def test_all_attempts_together(tmp_path: Path) -> None:
    """`total_timeout` ends the retries of a task that fails again and again."""
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        execution, _ = await timed_out(its.api, tmp_path, "fails_all_the_time")
        assert "took longer than 1s in all" in execution["error"]["detail"]
        assert 2 <= len(lines(tmp_path / "fails_all_the_time")) <= 15


async def test_an_attempt_that_blocks_its_worker_beyond_its_timeout(tmp_path: Path) -> None:
    """The worker is killed for it, long before it would be otherwise; the policy decides on
    another attempt; others go on.
    """
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        trace = tmp_path / "blocks"
        blocks = asyncio.create_task(timed_out(api, tmp_path, "blocks"))
        await begun(trace)
        async with probing(api, await api.start("in-time", count=1), quick="in-time"):
            execution, pids = await blocks
        assert len(set(pids)) == 2
        assert "blocks its worker" in told(execution)
        assert told(execution).count("took longer than its timeout; it did not stop") == 2
        assert "attempt 1 of blocks failed: Timed out" in told(execution)
        assert "attempt 2 of blocks failed: Timed out" in told(execution)

        execution, pids = await timed_out(api, tmp_path, "blocks_once")
        assert len(pids) == 1, "its policy is not to try again after a timeout"
        await until_one_worker(its)
