"""Code that does not let go: the API answers, others go on, and a cancel stops it (promise 7)."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import pytest
import pytest_asyncio

from tests.acceptance.executions import (
    OWN,
    begun,
    cancelled,
    ended,
    lines,
    told,
    until_one_worker,
)
from tests.acceptance.prober import probing
from tests.support.servers import SERVED, Server, server

MODULE = SERVED / "hostile_blocking.py"
GRACE_S = 2.0
ENVIRON = {"PERDURE_CANCEL_GRACE": "2s"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Hanging:
    """A server whose worker hangs, with what was in flight there, and what blocks it."""

    server: Server
    in_flight: list[str]
    blocking: str
    trace: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def hanging(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hanging]:
    """It hangs while the other tests run, since it takes its time until it is killed."""
    folder = tmp_path_factory.mktemp("hanging")
    async with server(folder, MODULE, environ=ENVIRON) as its:
        trace = folder / "trace"
        in_flight = [await its.api.start("innocent", seconds=0.5) for _ in range(3)]
        blocking = await its.api.start("runs", task_name="sleeps_on_the_loop", trace=str(trace))
        await begun(trace)
        yield Hanging(its, in_flight, blocking, trace)


async def check_task_on_the_loop(folder: Path, task: str) -> None:
    """One worker; a task blocks its loop, until it is cancelled."""
    async with server(folder, MODULE, environ=ENVIRON) as its:
        api = its.api
        in_flight = [await api.start("innocent", seconds=0.5) for _ in range(3)]
        waiting = [await api.start("patient", naps=5) for _ in range(3)]
        trace = folder / "trace"
        blocking = await api.start("runs", task_name=task, trace=str(trace))
        await begun(trace)
        async with probing(api, blocking):
            # What waits or begins goes on in another worker.
            after = [await api.start("innocent", seconds=0.5) for _ in range(3)]
            for execution_id in waiting + after:
                assert (await ended(api, execution_id))["status"] == "completed"
            assert (await api.execution(blocking))["status"] == "running"
            execution, took_s = await cancelled(api, blocking)
            assert took_s < GRACE_S
            assert "blocks its worker: it neither returns nor awaits" in told(execution)
            assert f"{task} was cancelled; it did not stop and was killed" in told(execution)
            # What was in flight beside it begins again.
            for execution_id in in_flight:
                assert (await ended(api, execution_id))["result"] == [0.5, 0.5]
        assert len(lines(trace)) == 1
        await until_one_worker(its)


async def check_workflow_code(folder: Path, workflow: str) -> None:
    """One worker; workflow code blocks it, until it is cancelled. It blocks no other worker."""
    async with server(folder, MODULE, environ=ENVIRON) as its:
        api = its.api
        waiting = [await api.start("patient", naps=5) for _ in range(3)]
        trace = folder / "trace"
        blocking = await api.start(workflow, trace=str(trace))
        await begun(trace)
        async with probing(api, blocking):
            after = [await api.start("innocent", seconds=0.5) for _ in range(3)]
            for execution_id in waiting + after:
                assert (await ended(api, execution_id))["status"] == "completed"
            assert len(lines(trace)) == 1
            assert len(its.workers()) == 2
            execution, took_s = await cancelled(api, blocking)
            assert took_s < GRACE_S
            assert "the workflow blocks its worker" in told(execution)
            assert "the workflow was cancelled; it did not stop and was killed" in told(execution)
            assert "no cleanup ran" in told(execution)
        assert len(lines(trace)) == 1
        await until_one_worker(its)


@pytest.mark.parametrize("how", ["sleeps", "spins"])
async def test_what_blocks_a_worker(tmp_path: Path, how: str) -> None:
    """A task and a workflow, each on a server of its own."""
    folders = (tmp_path / "task", tmp_path / "workflow")
    for folder in folders:
        folder.mkdir()
    await asyncio.gather(
        check_task_on_the_loop(folders[0], f"{how}_on_the_loop"),
        check_workflow_code(folders[1], f"workflow-{how}"),
    )


HOW_THEY_END = {
    "never_returns": "was cancelled; it stopped",
    "swallows_cancellation": "was cancelled; it did not stop and was abandoned",
    "plain_never_returns": "was cancelled; it did not stop and was abandoned",
    "plain_spins": "was cancelled; it did not stop and was abandoned",
    "process_ignores_signals": "was cancelled; it did not stop and was killed",
    "process_listens": "was cancelled; it stopped",
}


async def test_tasks_that_do_not_end(tmp_path: Path) -> None:
    """All in one worker, and cancelled at once: each is stopped, abandoned or killed, and it is
    told which; the worker that is left with some of them is replaced.
    """
    async with server(tmp_path, MODULE, environ=ENVIRON) as its:
        api = its.api
        first = its.workers()
        before = [await api.start("innocent", seconds=1.0) for _ in range(3)]
        ids = {
            task: await api.start("runs", task_name=task, trace=str(tmp_path / task))
            for task in HOW_THEY_END
        }
        for task in HOW_THEY_END:
            await begun(tmp_path / task)
        async with probing(api, ids["plain_spins"]):
            after = [await api.start("innocent", seconds=0.5) for _ in range(3)]
            for execution_id in before + after:
                assert (await ended(api, execution_id))["status"] == "completed"
            ends = await asyncio.gather(*(cancelled(api, ids[task]) for task in HOW_THEY_END))
            for task, (execution, took_s) in zip(HOW_THEY_END, ends, strict=True):
                assert f"{task} {HOW_THEY_END[task]}" in told(execution)
                assert took_s < GRACE_S + 0.5, task
        for task in HOW_THEY_END:
            assert len(lines(tmp_path / task)) == 1
        await until_one_worker(its)
        assert its.workers() != first


async def check_early_cancel(folder: Path, task: str) -> None:
    """Cancel a task that blocks its worker before that was noticed."""
    async with server(folder, MODULE, environ={"PERDURE_CANCEL_GRACE": "5s"}) as its:
        trace = folder / "trace"
        blocking = await its.api.start("runs", task_name=task, trace=str(trace))
        await begun(trace)
        execution, took_s = await cancelled(its.api, blocking)
        assert took_s < 5.0
        assert f"{task} was cancelled; it did not stop and was killed" in told(execution)
        assert len(lines(trace)) == 1
        await until_one_worker(its)


async def test_a_cancel_right_at_the_beginning(tmp_path: Path) -> None:
    """On the loop, and in a thread that keeps the interpreter to itself."""
    tasks = ("sleeps_on_the_loop", "holds_the_interpreter")
    for task in tasks:
        (tmp_path / task).mkdir()
    await asyncio.gather(*(check_early_cancel(tmp_path / task, task) for task in tasks))


async def test_a_worker_that_hangs_is_killed(hanging: Hanging) -> None:
    """Nobody cancels, and there is no timeout: after 30 s what was in flight beside it goes on,
    and who has blocked the worker does so alone from then on.
    """
    its, trace = hanging.server, hanging.trace
    api = its.api
    for execution_id in hanging.in_flight:
        assert (await ended(api, execution_id, within_s=40.0))["result"] == [0.5, 0.5]
    await begun(trace, 2)
    quarantine = int(lines(trace)[1])
    after = [await api.start("innocent", seconds=0.1) for _ in range(3)]
    for execution_id in after:
        assert (await ended(api, execution_id, within_s=2.0))["status"] == "completed"
    assert quarantine in its.workers()
    os.kill(quarantine, SIGKILL)
    await begun(trace, 3)
    os.kill(int(lines(trace)[2]), SIGKILL)
    execution = await ended(api, hanging.blocking)
    assert execution["error"]["type"] == OWN + "crash-loop"
    assert execution["error"]["instance"] == "/sleeps_on_the_loop"
    assert "/sleeps_on_the_loop did not let go of its worker, and was killed" in told(execution)
    await until_one_worker(its)
