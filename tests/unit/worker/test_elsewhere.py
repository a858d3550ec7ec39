"""Attempts that run in other workers, or without a machine; cancels that came before all else."""

import asyncio

import msgspec
import pytest

from perdure.link import messages as m
from perdure.machine import events as e
from tests.support.scripted_engine import EXECUTION, ScriptedEngine, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows
from tests.unit.worker.doing import SLOW, begin_slow, go

RENEWED = m.RunningAttempt("/side/slow", 1)


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


async def recorded_start(seconds: float = 1.0) -> ScriptedEngine:
    """An engine that has recorded that the slow task was asked for, and no more."""
    async with serving(flows.waits_slowly) as engine:
        await begin_slow(engine, seconds)
        flows.begun.clear()
        return engine


def test_what_runs_elsewhere_is_not_begun_until_it_is_lost() -> None:
    async def run() -> None:
        before = await recorded_start()
        async with serving(flows.waits_slowly) as engine:
            engine.bodies, engine.inputs = before.bodies, before.inputs
            epoch = engine.load("waits_slowly", elsewhere=[SLOW])
            await asyncio.sleep(5)
            assert flows.begun == []
            engine.send(m.AttemptsLost(EXECUTION, epoch, [SLOW]))
            assert (await engine.until_ended()).result == b'"done"'
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_the_outcome_of_what_runs_elsewhere_comes_through_the_inbox() -> None:
    async def run() -> None:
        before = await recorded_start()
        async with serving(flows.waits_slowly) as engine:
            engine.bodies, engine.inputs = before.bodies, before.inputs
            engine.load("waits_slowly", elsewhere=[SLOW])
            await engine.settle()
            engine.deliver(
                e.TaskCompleted(
                    time=START_MS, position="/slow", attempt=1, output=msgspec.Raw(b'"there"')
                )
            )
            assert (await engine.until_ended()).result == b'"there"'

    run_virtually(run())


def test_cancelling_what_runs_elsewhere_is_left_to_the_engine() -> None:
    async def run() -> None:
        before = await recorded_start()
        async with serving(flows.waits_slowly) as engine:
            engine.bodies, engine.inputs = before.bodies, before.inputs
            epoch = engine.load("waits_slowly", elsewhere=[SLOW])
            engine.deliver(e.CancelRequested(time=START_MS))
            append = await engine.until_sent(m.Append)
            assert append.stop_elsewhere == ["/slow"]
            await engine.settle()
            assert engine.ended() is None
            engine.send(m.AttemptsLost(EXECUTION, epoch, [SLOW]))
            assert (await engine.until_ended()).status == "cancelled"
            assert flows.begun == []

    run_virtually(run())


def test_the_next_generation_begins_what_the_one_before_has_running_elsewhere() -> None:
    async def run() -> None:
        async with serving(flows.renews) as first:
            first.load("renews", {"seconds": 600, "again": True})
            await first.until(lambda: flows.begun == ["slow"])
        flows.begun.clear()
        async with serving(flows.renews) as engine:
            engine.bodies, engine.inputs = first.bodies, first.inputs
            engine.load("renews", elsewhere=[m.RunningAttempt("/side/slow", 1)])
            engine.deliver(go())
            append = await engine.until_sent(m.Append)
            assert append.new_inputs is not None
            assert append.stop_elsewhere == ["/side/slow"]
            await engine.until(lambda: flows.begun == ["slow"])
            await asyncio.sleep(2)
            assert engine.kinds() == ["EventReceived", "ExecutionStarted", "TaskCompleted"]

    run_virtually(run())


def test_a_recorded_task_that_was_cancelled_does_not_begin_again() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as first:
            await begin_slow(first)
            first.deliver(e.CancelRequested(time=START_MS))
            await first.until_sent(m.Append, 2)
            await first.settle()
            bodies = {EXECUTION: first.bodies[EXECUTION][:2]}
        async with serving(flows.waits_slowly) as second:
            second.bodies, second.inputs = bodies, first.inputs
            second.load("waits_slowly")
            assert (await second.until_ended()).status == "cancelled"
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_a_request_to_cancel_is_read_before_all_else() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            engine.load("listens")
            await engine.settle()
            engine.load("listens", inbox=[go("1"), e.CancelRequested(time=START_MS)])
            assert (await engine.until_ended()).status == "cancelled"
            assert engine.kinds()[1:] == ["CancelRequested"]
            cancelled = engine.all(m.Append)[-1]
            assert (cancelled.inbox_seen, cancelled.inbox_known) == (0, 2)

    run_virtually(run())


def test_a_request_to_cancel_does_not_keep_an_execution_from_beginning() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            engine.load("waits_slowly", {"seconds": 60}, inbox=[e.CancelRequested(time=START_MS)])
            assert (await engine.until_ended()).status == "cancelled"
            assert engine.kinds() == ["ExecutionStarted", "CancelRequested", "TaskCancelled"]
            assert [append.inbox_known for append in engine.all(m.Append)] == [1, 1, 1]
            assert [append.inbox_seen for append in engine.all(m.Append)] == [0, 0, 1]
            assert flows.begun == []

    run_virtually(run())


def test_attempts_without_a_machine_can_be_stopped() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            epoch = await begin_slow(engine)
            engine.send(m.Halt(EXECUTION, epoch))
            engine.send(m.StopAttempts(EXECUTION, ["/slow", "/other"]))
            await engine.until_sent(m.Outcomes)
            (outcome,) = engine.outcomes()
            assert isinstance(outcome, e.TaskCancelled)
            assert not outcome.abandoned

    run_virtually(run())


def test_an_attempt_of_a_generation_before_does_not_stand_for_the_next_one_s() -> None:
    """Its execution has gone on elsewhere, continued as new there, and comes back."""

    async def run() -> None:
        async with serving(flows.renews) as there:
            there.load("renews", {"seconds": 600, "again": True})
            await there.until(lambda: flows.begun == ["slow"])
            there.deliver(go())
            await there.until(lambda: flows.begun == ["slow", "slow"])
            await there.settle()
            renewed = there.bodies[EXECUTION]
        flows.begun.clear()
        async with serving(flows.renews) as engine:
            epoch = engine.load("renews", {"seconds": 0.5, "again": True})
            await engine.until(lambda: flows.begun == ["slow"])
            engine.send(m.Halt(EXECUTION, epoch))
            assert (await engine.until_sent(m.Released)).running == [RENEWED]
            engine.bodies = {EXECUTION: renewed}
            engine.inputs = {EXECUTION: b'{"seconds":600,"again":false}'}
            epoch = engine.load("renews", since=2)
            await engine.until(lambda: flows.begun == ["slow", "slow"])
            await asyncio.sleep(0.7)  # longer than the old one takes, shorter than the new one
            assert engine.all(m.Outcomes) == []
            engine.send(m.Halt(EXECUTION, epoch))
            assert (await engine.until_sent(m.Released, 2)).running == [RENEWED]
            engine.send(m.StopAttempts(EXECUTION, [RENEWED.position]))
            outcomes = await engine.until_sent(m.Outcomes)
            assert outcomes.generation == 2

    run_virtually(run())
