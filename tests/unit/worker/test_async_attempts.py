"""Async tasks: what they return or raise, their timeouts, and how they are stopped."""

import asyncio
import inspect

import anyio
import pytest

from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine import program
from perdure.machine.retry import RetryPolicy
from perdure.model.failure import runtime
from tests.support.scripted_engine import EXECUTION, ScriptedEngine, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows

LIMIT_BYTES = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


@task
async def misbehaves(how: str) -> object:
    if how == "exits":
        raise SystemExit(3)
    if how == "interrupts":
        raise KeyboardInterrupt
    if how == "cancels itself":
        raise asyncio.CancelledError
    if how == "returns an object":
        return object()
    if how == "returns too much":
        return "x" * LIMIT_BYTES
    raise AssertionError(how)


@workflow
async def misbehaving(how: str) -> None:
    await misbehaves(how)


@task
async def looks_around() -> list[str]:
    current = asyncio.current_task()
    assert current is not None
    coroutine = current.get_coro()
    before = inspect.getcoroutinestate(coroutine)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        child = group.create_task(asyncio.sleep(1, "child"))
    async with asyncio.timeout(5):
        await asyncio.sleep(1)
    return [current.get_name(), before, child.result()]


@workflow
async def looking() -> list[str]:
    return await looks_around()


@task
async def uses_anyio() -> list[bool]:
    with anyio.move_on_after(1) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 600)
    with anyio.CancelScope(shield=True):
        await anyio.sleep(0.1)
    return [scope.cancelled_caught]


@workflow
async def using_anyio() -> list[bool]:
    return await uses_anyio()


@task
async def cleans() -> None:
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(2)
        flows.begun.append("cleaned")


@workflow
async def cleaning() -> None:
    await cleans()


@task
async def finishes_anyway() -> str:
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        return "finished"
    return "never"


@workflow
async def finishing() -> str:
    return await finishes_anyway()


@workflow
async def total_limit() -> str:
    result = await program.run_task(
        "slow",
        b'{"seconds":600}',
        flows.slow,
        retry=RetryPolicy(),
        total_timeout_ms=5_000,
        decode=bytes.decode,
    )
    return str(result)


async def cancel(engine: ScriptedEngine) -> None:
    await engine.settle()
    engine.deliver(e.CancelRequested(time=START_MS))


def failed(engine: ScriptedEngine) -> e.TaskFailed:
    """The failed attempt that was recorded last."""
    return next(x for x in reversed(engine.events()) if isinstance(x, e.TaskFailed))


@pytest.mark.parametrize(
    ("how", "title", "detail"),
    [
        ("exits", "SystemExit", "3"),
        ("interrupts", "KeyboardInterrupt", ""),
        ("cancels itself", "CancelledError", ""),
        ("returns an object", "Validation failed", "the result of task misbehaves"),
        ("returns too much", "Validation failed", "2,097,154 bytes"),
    ],
)
def test_whatever_an_attempt_does_is_its_failure(how: str, title: str, detail: str) -> None:
    async def run() -> None:
        async with serving(misbehaving) as engine:
            engine.load("misbehaving", {"how": how})
            assert (await engine.until_ended()).status == "failed"
            assert failed(engine).failure.title == title
            assert detail in failed(engine).failure.detail
            assert failed(engine).retryable is False

    run_virtually(run())


def test_a_failure_of_its_own_and_whether_it_may_be_retried() -> None:
    async def run() -> None:
        async with serving(flows.fails) as engine:
            engine.load("fails", {"detail": "out of stock"})
            await engine.until_ended()
            assert failed(engine).failure.detail == "out of stock"
            assert failed(engine).retryable

    run_virtually(run())


def test_a_failed_attempt_leaves_its_traceback_in_the_log() -> None:
    async def run() -> None:
        async with serving(flows.fails) as engine:
            engine.load("fails", {"detail": "out of stock"})
            await engine.until_ended()
            line = engine.logs[1]
            assert (line.level, line.task) == ("ERROR", "fail")
            assert line.message == "attempt 1 of fail failed: Failed: out of stock"
            assert line.fields is not None
            assert b"flows.py" in line.fields
            assert b"attempts.py" not in line.fields

    run_virtually(run())


def test_in_an_attempt_asyncio_is_as_anywhere() -> None:
    async def run() -> None:
        async with serving(looking) as engine:
            engine.load("looking")
            ended = await engine.until_ended()
            assert ended.result == b'["/looks_around","CORO_RUNNING","child"]'

    run_virtually(run())


def test_anyio_works_in_an_attempt() -> None:
    async def run() -> None:
        async with serving(using_anyio) as engine:
            engine.load("using_anyio")
            assert (await engine.until_ended()).result == b"[true]"

    run_virtually(run())


def test_a_timeout_stops_the_attempt() -> None:
    async def run() -> None:
        async with serving(flows.waits_limited) as engine:
            engine.load("waits_limited", {"seconds": 60})
            ended = await engine.until_ended()
            assert ended.failure is not None
            assert ended.failure.detail == "task limited took longer than 30s"
            assert failed(engine).time == pytest.approx(START_MS + 30_000, abs=200)
            assert "task limited took longer than 30s; it stopped" in engine.lines()[1]
            assert engine.all(m.Draining) == []

    run_virtually(run())


def test_in_time_nothing_happens() -> None:
    async def run() -> None:
        async with serving(flows.waits_limited) as engine:
            engine.load("waits_limited", {"seconds": 29})
            assert (await engine.until_ended()).result == b'"in time"'
            await asyncio.sleep(60)
            assert engine.worker is not None
            assert engine.worker.attempts.quiet

    run_virtually(run())


def test_a_cancelled_attempt_may_clean_up() -> None:
    async def run() -> None:
        async with serving(cleaning) as engine:
            engine.load("cleaning")
            await cancel(engine)
            assert (await engine.until_ended()).status == "cancelled"
            assert flows.begun == ["cleaned"]
            assert engine.kinds()[-1] == "TaskCancelled"
            assert "cleans was cancelled; it stopped" in engine.lines()

    run_virtually(run())


def test_a_cancelled_attempt_that_completes_anyway_has_completed() -> None:
    async def run() -> None:
        async with serving(finishing) as engine:
            engine.load("finishing")
            await cancel(engine)
            assert (await engine.until_ended()).status == "cancelled"
            assert engine.kinds()[-1] == "TaskCompleted"

    run_virtually(run())


def test_one_that_does_not_stop_is_abandoned_within_the_grace_and_the_worker_drains() -> None:
    async def run() -> None:
        async with serving(flows.waits_stubbornly) as engine:
            engine.load("waits_stubbornly", {"seconds": 60})
            await cancel(engine)
            assert (await engine.until_ended()).status == "cancelled"
            last = engine.events()[-1]
            assert isinstance(last, e.TaskCancelled)
            assert last.abandoned
            assert START_MS + 9_000 < last.time < START_MS + 10_000
            assert "did not stop and was abandoned" in engine.lines()[-2]
            draining = engine.only(m.Draining)
            assert "task stubborn of exec-1 cancelled" in draining.detail
            engine.send(m.Drain())
            await engine.until_sent(m.Idle)
            assert engine.worker is not None
            assert len(engine.worker.attempts.abandoned) == 1
            await asyncio.sleep(60)
            assert not engine.worker.attempts.abandoned
            assert len(engine.events()) == 3
            assert engine.all(m.Outcomes) == []

    run_virtually(run())


def test_at_the_end_of_its_execution_an_attempt_is_stopped() -> None:
    async def run() -> None:
        async with serving(total_limit) as engine:
            engine.load("total_limit")
            append = await engine.until_sent(m.Append)
            timer = append.timers_set[0]
            engine.deliver(e.TimerFired(time=timer.due_ms, position=timer.position))
            ended = await engine.until_ended()
            assert ended.failure is not None
            assert ended.failure.detail == "task slow took longer than 5s in all"
            assert engine.kinds()[-1] == "TaskCancelled"

    run_virtually(run())


def test_what_still_runs_at_the_end_is_stopped_and_not_told() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            engine.load("waits_slowly", {"seconds": 600})
            await engine.until(lambda: flows.begun)
            engine.deliver(
                e.TaskFailed(
                    time=START_MS,
                    position="/slow",
                    attempt=1,
                    failure=runtime("answered from elsewhere"),
                )
            )
            assert (await engine.until_ended()).status == "failed"
            await engine.settle()
            assert engine.worker is not None
            assert engine.worker.attempts.quiet
            assert engine.all(m.Outcomes) == []
            assert engine.worker.attempts.of(EXECUTION) == []

    run_virtually(run())
