"""Plain functions in threads: real ones, so with as little waiting as there can be."""

import asyncio
import threading

import pytest

from perdure.authoring.context import current_task
from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine import program
from tests.support.scripted_engine import ScriptedEngine, serving
from tests.unit.worker import flows

GATE = threading.Event()
"""What `gated` waits for."""
ENTERED: list[str] = []


@pytest.fixture(autouse=True)
def _closed_gate() -> None:
    GATE.clear()
    ENTERED.clear()


@task
def gated(name: str) -> str:
    ENTERED.append(name)
    GATE.wait(30)
    return f"{name} {current_task().idempotency_key}"


@task(timeout="50ms")
def limited(name: str) -> str:
    ENTERED.append(name)
    GATE.wait(30)
    return name


@task
def exits() -> None:
    raise SystemExit(3)


@workflow
async def one(name: str) -> str:
    return await gated(name)


@workflow
async def three() -> list[str]:
    return await program.gather([gated("a"), gated("b"), gated("c")])


@workflow
async def one_limited() -> str:
    return await limited("x")


@workflow
async def exiting() -> None:
    await exits()


async def test_a_function_runs_with_its_context() -> None:
    async with serving(one) as engine:
        GATE.set()
        engine.load("one", {"name": "a"})
        assert (await engine.until_ended()).result == b'"a exec-1:/gated"'


async def test_a_function_that_exits_has_failed() -> None:
    async with serving(exiting) as engine:
        engine.load("exiting")
        ended = await engine.until_ended()
        assert ended.failure is not None
        assert ended.failure.title == "SystemExit"


async def test_more_than_there_are_threads_wait_for_one() -> None:
    async with serving(three, threads=2) as engine:
        engine.load("three")
        await engine.until(lambda: len(ENTERED) == 2)
        await asyncio.sleep(0.02)
        assert ENTERED == ["a", "b"]
        GATE.set()
        ended = await engine.until_ended()
        assert ended.result is not None
        assert b"c exec-1:/gather/2/gated" in ended.result


async def test_one_that_waits_for_a_thread_is_stopped_at_once() -> None:
    async with serving(one, threads=1) as engine:
        engine.load("one", {"name": "a"})
        await engine.until(lambda: ENTERED)
        engine.load("one", {"name": "b"}, execution_id="exec-2")
        await engine.settle()
        engine.deliver(e.CancelRequested(time=0), execution_id="exec-2")
        assert (await engine.until_ended("exec-2")).status == "cancelled"
        GATE.set()
        await engine.until_ended()
        assert ENTERED == ["a"]


async def test_one_that_looks_can_stop() -> None:
    async with serving(flows.waits_blocking) as engine:
        engine.load("waits_blocking", {"seconds": 20})
        await asyncio.sleep(0.02)
        engine.deliver(e.CancelRequested(time=0))
        assert (await engine.until_ended()).status == "cancelled"
        last = engine.events()[-1]
        assert isinstance(last, e.TaskCompleted)
        assert bytes(last.output) == b'"stopped early"'


def configure(engine: ScriptedEngine, grace_ms: int) -> None:
    engine.send(m.Configure(1, grace_ms, 60_000))


async def test_an_abandoned_thread_is_replaced() -> None:
    async with serving(one, threads=1) as engine:
        configure(engine, 50)
        engine.load("one", {"name": "a"})
        await engine.until(lambda: ENTERED)
        engine.load("one", {"name": "b"}, execution_id="exec-2")
        engine.deliver(e.CancelRequested(time=0))
        ended = await engine.until_ended()
        assert ended.status == "cancelled"
        last = engine.events()[-1]
        assert isinstance(last, e.TaskCancelled)
        assert last.abandoned
        await engine.until(lambda: ENTERED == ["a", "b"])
        GATE.set()
        assert (await engine.until_ended("exec-2")).status == "completed"
        assert engine.worker is not None
        abandoned = engine.worker.attempts.abandoned
        await engine.until(lambda: not abandoned)


async def test_out_of_time_it_is_abandoned_and_has_failed() -> None:
    async with serving(one_limited) as engine:
        configure(engine, 50)
        engine.load("one_limited")
        ended = await engine.until_ended()
        assert ended.failure is not None
        assert ended.failure.detail == "task limited took longer than 0.05s"
        assert "did not stop and was abandoned" in engine.lines()[1]
        GATE.set()


async def test_time_in_the_queue_does_not_count() -> None:
    async with serving(one, one_limited, threads=1) as engine:
        engine.load("one", {"name": "a"})
        await engine.until(lambda: ENTERED)
        engine.load("one_limited", execution_id="exec-2")
        await asyncio.sleep(0.1)
        GATE.set()
        assert (await engine.until_ended("exec-2")).result == b'"x"'


async def test_what_runs_in_a_thread_is_marked_there() -> None:
    async with serving(one) as engine:
        engine.load("one", {"name": "a"})
        await engine.until(lambda: ENTERED)
        assert engine.marks is not None
        (mark,) = engine.marks.read()
        assert (mark.execution_id, mark.position, mark.attempt) == ("exec-1", "/gated", 1)
        assert mark.deadline == 0
        GATE.set()
        await engine.until_ended()
        assert engine.marks.read() == []


async def test_where_no_thread_can_be_started_the_attempt_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    async with serving(one) as engine:
        engine.load("one", {"name": "a"})
        assert (await engine.until_ended()).status == "failed"
        failed = next(x for x in engine.events() if isinstance(x, e.TaskFailed))
        assert failed.failure.title == "The task could not be begun"
        assert "can't start new thread" in failed.failure.detail
