"""Outcomes that are handed back: what they say, and what is done until they come again."""

import asyncio
import logging

import msgspec
import pytest

from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine import program
from perdure.model.exceptions import Continued
from perdure.worker import handed_back
from perdure.worker.handed_back import HandedBack
from tests.support.scripted_engine import EXECUTION, ScriptedEngine, serving
from tests.support.virtual_time import run_virtually
from tests.unit.worker import flows
from tests.unit.worker.doing import SLOW, begin_slow, go

log = logging.getLogger("handed back")


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


# -- how they are handed back ----------------------------------------------------------------------


def test_an_outcome_names_the_batch_that_was_sent_with_it() -> None:
    async def run() -> None:
        async with serving(flows.both) as engine:
            epoch = engine.load("both", {"seconds": 1})
            await engine.until_sent(m.Append, 2)
            engine.commits = False
            await engine.until_sent(m.Append, 3)
            engine.send(m.Halt(EXECUTION, epoch))
            outcomes = await engine.until_sent(m.Outcomes)
            assert (outcomes.epoch, outcomes.generation) == (epoch, 0)
            assert [outcome.seq for outcome in outcomes.outcomes] == [2]

    run_virtually(run())


def test_an_outcome_without_a_machine_names_none() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            epoch = await begin_slow(engine)
            engine.send(m.Halt(EXECUTION, epoch))
            outcomes = await engine.until_sent(m.Outcomes)
            assert [outcome.seq for outcome in outcomes.outcomes] == [None]

    run_virtually(run())


def test_what_is_dropped_with_its_generation_leaves_its_lines() -> None:
    """An attempt ends after its program has continued as new, before that is on disk."""

    @task
    async def talks() -> None:
        await asyncio.sleep(0.1)
        log.info("at last")

    @workflow
    async def moves_on(again: bool) -> str:
        if not again:
            return "done"
        program.machine().spawn("/side", talks())
        await program.wait_for_event("go", None)
        raise Continued(b'{"again":false}')

    async def run() -> None:
        async with serving(moves_on) as engine:
            engine.load("moves_on", {"again": True})
            await engine.until_sent(m.Append)
            await engine.settle()
            engine.commits = False
            engine.deliver(go())
            await engine.until_sent(m.Append, 2)
            await asyncio.sleep(0.15)
            assert engine.lines() == ["started"]
            engine.commits = True
            engine.commit_all()
            await engine.until_ended()
            assert [line for line in engine.lines() if line == "at last"] == ["at last"]
            assert engine.all(m.Outcomes) == []

    run_virtually(run())


# -- until they come again -------------------------------------------------------------------------


async def handed_back_slow(engine: ScriptedEngine) -> e.AnyEvent:
    """The slow task has ended without a machine; its outcome."""
    epoch = await begin_slow(engine)
    engine.send(m.Halt(EXECUTION, epoch))
    await engine.until_sent(m.Outcomes)
    (outcome,) = engine.outcomes()
    return outcome


def test_a_load_that_was_under_way_waits_for_what_was_handed_back() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            outcome = await handed_back_slow(engine)
            epoch = engine.load("waits_slowly")
            await asyncio.sleep(100)
            assert flows.begun == ["slow"]
            assert len(engine.all(m.Append)) == 1
            engine.deliver(outcome)
            assert (await engine.until_ended()).result == b'"done"'
            assert engine.all(m.Append)[-1].epoch == epoch
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_a_load_that_has_it_goes_on() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            outcome = await handed_back_slow(engine)
            engine.load("waits_slowly", inbox=[outcome])
            assert (await engine.until_ended()).result == b'"done"'
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_a_load_that_is_cancelled_waits_for_it_too() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            outcome = await handed_back_slow(engine)
            engine.load("waits_slowly")
            engine.deliver(e.CancelRequested(time=0))
            await engine.until_sent(m.Append, 2)
            await asyncio.sleep(100)
            assert engine.ended() is None
            engine.deliver(outcome)
            assert (await engine.until_ended()).status == "cancelled"
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_only_the_next_load_waits() -> None:
    """What is loaded after that is loaded when the outcome is in the inbox, or is lost."""

    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            await handed_back_slow(engine)
            epoch = engine.load("waits_slowly")
            await engine.settle()
            engine.send(m.Halt(EXECUTION, epoch))
            await engine.until_sent(m.Released, 2)
            engine.load("waits_slowly")
            assert (await engine.until_ended()).result == b'"done"'
            assert flows.begun == ["slow", "slow"]

    run_virtually(run())


def test_what_was_handed_back_and_is_lost_begins_again() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            await handed_back_slow(engine)
            epoch = engine.load("waits_slowly")
            await engine.settle()
            engine.send(m.AttemptsLost(EXECUTION, epoch, [SLOW]))
            assert (await engine.until_ended()).result == b'"done"'
            assert flows.begun == ["slow", "slow"]

    run_virtually(run())


# -- what is remembered of them --------------------------------------------------------------------


def test_of_a_generation_it_is_told_once() -> None:
    noted = HandedBack()
    noted.note("exec-1", 0, [SLOW])
    noted.note("exec-1", 3, [SLOW, msgspec.structs.replace(SLOW, attempt=2)])
    assert noted.take("exec-2", 3) == []
    assert noted.take("exec-1", 3) == [SLOW, msgspec.structs.replace(SLOW, attempt=2)]
    assert noted.take("exec-1", 0) == []


def test_the_oldest_are_forgotten_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_back, "MOST", 5)
    noted = HandedBack()
    for number in range(4):
        noted.note(f"exec-{number}", 0, [SLOW, SLOW])
    noted.note("exec-2", 0, [SLOW])
    assert [len(noted.take(f"exec-{number}", 0)) for number in range(4)] == [0, 0, 3, 2]
    assert noted._count == 0
