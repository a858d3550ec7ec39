"""What user code logs, and where it goes."""

import asyncio
import logging
import threading
from collections.abc import Iterator

import msgspec
import pytest

from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine import program
from perdure.worker import capture
from tests.support.scripted_engine import EXECUTION, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows

log = logging.getLogger("captured")

MANY = 25_000


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@task
async def talks(pauses: bool) -> None:
    log.debug("not kept")
    log.critical("first", extra={"city": "Basel", "seen": {1, 2}})
    await asyncio.sleep(1 if pauses else 0)
    log.info("second")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("third")


@task
async def floods(count: int, size: int) -> None:
    for number in range(count):
        log.info("%s", str(number).ljust(size))


@task
async def reaches_into_a_thread() -> None:
    await asyncio.to_thread(log.info, "from a thread")


@task
def floods_in_a_thread() -> None:
    for number in range(MANY):
        log.info("%d", number)


@workflow
async def talking(pauses: bool) -> None:
    await talks(pauses)


@workflow
async def flooding(count: int, size: int) -> None:
    await floods(count, size)


@workflow
async def reaching() -> None:
    await reaches_into_a_thread()


@workflow
async def flooding_in_a_thread() -> None:
    await floods_in_a_thread()


@workflow
async def narrates() -> None:
    log.info("one")
    log.info("two")
    await program.sleep(1_000)
    log.info("three")
    await program.sleep(1_000)


@workflow
async def narrates_without_end() -> None:
    for number in range(MANY):
        log.info("%d", number)


def test_lines_of_an_attempt_go_with_its_outcome_and_in_order() -> None:
    async def run() -> None:
        async with serving(talking) as engine:
            engine.load("talking", {"pauses": False})
            await engine.until_ended()
            assert engine.all(m.LogLines) == []
            lines = [record for record in engine.logs if record.task is not None]
            assert [line.message for line in lines] == ["first", "second", "third"]
            assert [line.level for line in lines] == ["ERROR", "INFO", "ERROR"]
            assert {line.task for line in lines} == {"talks"}
            assert {line.position for line in lines} == {"/talks"}
            assert {line.batch for line in lines} == {-1}
            fields = msgspec.json.decode(lines[0].fields or b"")
            assert fields == {"city": "Basel", "seen": [1, 2]}
            assert lines[2].fields is not None
            assert b"ValueError: why" in lines[2].fields

    run_virtually(run())


def test_while_it_runs_they_go_now_and_then() -> None:
    async def run() -> None:
        async with serving(talking) as engine:
            engine.load("talking", {"pauses": True})
            await asyncio.sleep(0.5)
            (sent,) = engine.all(m.LogLines)
            assert [record.message for record in sent.records] == ["first"]
            await engine.until_ended()
            own = [record.message for record in engine.logs if record.task is not None]
            assert own == ["first", "second", "third"]

    run_virtually(run())


def test_a_replay_logs_nothing_again() -> None:
    async def run() -> None:
        async with serving(narrates) as engine:
            engine.load("narrates")
            await engine.settle()
            engine.load("narrates")
            engine.deliver(e.TimerFired(time=START_MS, position="/sleep"))
            await engine.until_sent(m.Append, 2)
            assert engine.lines() == ["started", "one", "two", "three"]
            assert [record.batch for record in engine.logs] == [-2, 0, 0, 1]

    run_virtually(run())


@pytest.mark.parametrize(
    ("logged", "kept"),
    [
        (["three"], []),
        (["another"], ["three"]),
        ([], ["three"]),
        (["three", "four"], []),
    ],
)
def test_lines_of_a_step_that_was_lost_are_not_repeated(logged: list[str], kept: list[str]) -> None:
    async def run() -> None:
        async with serving(narrates) as engine:
            engine.load("narrates")
            await engine.settle()
            engine.logs.clear()
            engine.load("narrates", logged=logged)
            engine.deliver(e.TimerFired(time=START_MS, position="/sleep"))
            await engine.until_sent(m.Append, 2)
            assert engine.lines() == kept

    run_virtually(run())


def test_lines_of_steps_that_were_lost_may_be_of_several() -> None:
    async def run() -> None:
        async with serving(narrates) as engine:
            engine.load("narrates", logged=["one", "two", "three"])
            await engine.settle()
            engine.deliver(e.TimerFired(time=START_MS, position="/sleep"))
            await engine.until_sent(m.Append, 2)
            assert engine.lines() == ["started"]

    run_virtually(run())


def test_a_step_that_logs_without_end_is_bounded() -> None:
    async def run() -> None:
        async with serving(narrates_without_end) as engine:
            engine.load("narrates_without_end")
            await engine.until_ended()
            assert len(engine.logs) == capture.FULL_LINES + 3
            assert "15,000 lines were dropped here" in engine.lines()[-2]

    run_virtually(run())


def test_an_attempt_on_the_loop_sends_early_when_its_buffer_is_full() -> None:
    async def run() -> None:
        async with serving(flooding) as engine:
            engine.load("flooding", {"count": MANY, "size": 1})
            await engine.until_ended()
            own = [record.message for record in engine.logs if record.task is not None]
            assert own == [str(number) for number in range(MANY)]

    run_virtually(run())


def test_beyond_what_can_be_sent_in_one_turn_its_lines_are_dropped_and_counted() -> None:
    async def run() -> None:
        async with serving(flooding) as engine:
            engine.load("flooding", {"count": 30_000, "size": 1_000})
            await engine.until_ended()
            own = [record for record in engine.logs if record.task is not None]
            assert len(own) < 20_000
            dropped = 30_000 - (len(own) - 1)
            assert own[-1].message.startswith(f"{dropped:,} lines were dropped here")
            assert own[-1].level == "WARNING"

    run_virtually(run())


async def test_a_thread_waits_for_room() -> None:
    async with serving(flooding_in_a_thread) as engine:
        engine.load("flooding_in_a_thread")
        await engine.until_ended()
        own = [record.message for record in engine.logs if record.task is not None]
        assert own == [str(number) for number in range(MANY)]
        assert max(len(sent.records) for sent in engine.all(m.LogLines)) <= capture.FULL_LINES


async def test_a_thread_that_a_task_starts_logs_for_the_task() -> None:
    async with serving(reaching) as engine:
        engine.load("reaching")
        await engine.until_ended()
        assert [x.message for x in engine.logs if x.task is not None] == ["from a thread"]


def test_what_is_logged_elsewhere_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            log.warning("outside")
            thread = threading.Thread(target=log.info, args=("in a thread of nobody",))
            thread.start()
            thread.join()
            assert engine.logs == []

    run_virtually(run())
    shown = capsys.readouterr().err
    assert "WARNING captured: outside" in shown
    assert "in a thread of nobody" in shown


def test_outcomes_that_are_handed_back_bring_their_lines() -> None:
    async def run() -> None:
        async with serving(talking) as engine:
            epoch = engine.load("talking", {"pauses": True})
            await engine.until(lambda: engine.all(m.LogLines))
            engine.send(m.Halt(EXECUTION, epoch))
            (handed_back,) = (await engine.until_sent(m.Outcomes)).outcomes
            assert [record.message for record in handed_back.logs] == ["second", "third"]

    run_virtually(run())
