"""Executions that are taken from a worker, given back, or held."""

import msgspec
import pytest

from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine.batch import encode_batch
from tests.support.scripted_engine import EXECUTION, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows
from tests.unit.worker.doing import SLOW, begin_slow


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


# -- taken away and given back ---------------------------------------------------------------------


def test_a_refused_append_hands_back_its_outcome_and_releases() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            epoch = engine.load("doubled", {"n": 2})
            await engine.until_sent(m.Append)
            engine.commits = False
            await engine.until_sent(m.Append, 2)
            engine.send(m.Refused(EXECUTION, epoch))
            assert await engine.until_sent(m.Released) == m.Released(EXECUTION, epoch, 0, [])
            (outcome,) = engine.outcomes()
            assert isinstance(outcome, e.TaskCompleted)
            assert (outcome.position, bytes(outcome.output)) == ("/double", b"4")
            order = [type(message).__name__ for message in engine.messages]
            assert order[-2:] == ["Outcomes", "Released"]
            engine.send(m.Committed(EXECUTION, epoch, 1))
            await engine.settle()
            assert engine.messages[-1] == m.Released(EXECUTION, epoch, 0, [])

    run_virtually(run())


def test_loaded_again_an_outcome_that_was_handed_back_is_not_computed_again() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            epoch = engine.load("doubled", {"n": 2})
            engine.commits = False
            await engine.until_sent(m.Append)
            engine.commit_all()
            await engine.until_sent(m.Append, 2)
            engine.send(m.Refused(EXECUTION, epoch))
            await engine.until_sent(m.Released)
            engine.commits = True
            engine.load("doubled")
            (outcome,) = engine.outcomes()
            engine.deliver(outcome)
            await engine.until_sent(m.Append, 3)
            await engine.settle()
            assert flows.begun == ["double 2"]
            assert len(engine.all(m.Append)) == 3

    run_virtually(run())


def test_an_outcome_in_the_inbox_answers_the_recorded_task() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as first:
            first.load("doubled", {"n": 2})
            await first.until_ended()
        flows.begun.clear()
        async with serving(flows.doubled) as second:
            second.inputs, second.bodies = first.inputs, {EXECUTION: first.bodies[EXECUTION][:1]}
            second.load("doubled", inbox=[first.events()[1]])
            assert (await second.until_ended()).result == b"4"
            assert flows.begun == []

    run_virtually(run())


def test_halt_keeps_attempts_and_their_outcomes_go_to_the_inbox() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            epoch = await begin_slow(engine)
            engine.send(m.Halt(EXECUTION, epoch))
            assert await engine.until_sent(m.Released) == m.Released(EXECUTION, epoch, 0, [SLOW])
            assert engine.all(m.Outcomes) == []
            await engine.until_sent(m.Outcomes)
            (outcome,) = engine.outcomes()
            assert isinstance(outcome, e.TaskCompleted)
            assert outcome.time == pytest.approx(START_MS + 60_000, abs=500)

    run_virtually(run())


def test_loaded_again_it_adopts_what_still_runs() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            epoch = await begin_slow(engine)
            engine.send(m.Halt(EXECUTION, epoch))
            await engine.until_sent(m.Released)
            engine.load("waits_slowly")
            assert (await engine.until_ended()).result == b'"done"'
            assert flows.begun == ["slow"]
            assert engine.all(m.Outcomes) == []

    run_virtually(run())


def test_a_load_under_a_higher_epoch_replaces_the_machine() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            await begin_slow(engine)
            engine.load("waits_slowly")
            ended = await engine.until_ended()
            assert ended.result == b'"done"'
            assert engine.all(m.Append)[-1].epoch == 2
            assert flows.begun == ["slow"]

    run_virtually(run())


def test_recorded_tasks_begin_again_under_the_same_attempt() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as first:
            await begin_slow(first)
            bodies, inputs = first.bodies, first.inputs
        async with serving(flows.waits_slowly) as second:
            second.bodies, second.inputs = bodies, inputs
            second.load("waits_slowly")
            assert (await second.until_ended()).result == b'"done"'
            assert flows.begun == ["slow", "slow"]
            last = second.events()[-1]
            assert isinstance(last, e.TaskCompleted)
            assert last.attempt == 1

    run_virtually(run())


def test_a_task_that_opted_out_of_running_again_fails_as_crashed() -> None:
    async def run() -> None:
        async with serving(flows.waits_once) as first:
            first.load("waits_once", {"seconds": 60})
            await first.until(lambda: flows.begun == ["once"])
            bodies, inputs = first.bodies, first.inputs
        async with serving(flows.waits_once) as second:
            second.bodies, second.inputs = bodies, inputs
            second.load("waits_once")
            ended = await second.until_ended()
            assert ended.failure is not None
            assert ended.failure.type == "urn:perdure:error:crashed"
            assert flows.begun == ["once"]

    run_virtually(run())


def test_an_attempt_that_was_killed_for_its_timeout_is_answered_so() -> None:
    async def run() -> None:
        async with serving(flows.waits_limited) as first:
            first.load("waits_limited", {"seconds": 60})
            await first.settle()
            bodies, inputs = first.bodies, first.inputs
        async with serving(flows.waits_limited) as second:
            second.bodies, second.inputs = bodies, inputs
            second.load("waits_limited", timed_out=[m.RunningAttempt("/limited", 1)])
            ended = await second.until_ended()
            assert ended.failure is not None
            assert ended.failure.detail == "task limited took longer than 30s"
            failed = second.events()[-1]
            assert isinstance(failed, e.TaskFailed)
            assert failed.retryable

    run_virtually(run())


# -- held ------------------------------------------------------------------------------------------


def test_an_execution_whose_record_does_not_fit_is_held() -> None:
    async def run() -> None:
        async with serving(flows.doubled, flows.sleeps) as engine:
            engine.load("doubled", {"n": 1})
            await engine.until_ended()
            started = engine.bodies[EXECUTION][0]
            engine.bodies["exec-2"] = [started]
            engine.load("sleeps", {"ms": 5}, execution_id="exec-2")
            held = await engine.until_sent(m.Held)
            assert held.failure.type == "urn:perdure:error:disagreement"
            assert held.failure.instance == "/double"
            assert engine.all(m.Released) == []

    run_virtually(run())


def test_a_batch_of_a_later_format_holds() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            engine.bodies[EXECUTION] = [b'{"v":99,"event":{"kind":"New","time":1},"commands":[]}']
            engine.load("doubled", {"n": 1})
            held = await engine.until_sent(m.Held)
            assert "format version 99" in held.failure.detail

    run_virtually(run())


def test_a_version_that_is_not_served_holds() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            engine.load("doubled", {"n": 1}, workflow_version="2")
            held = await engine.until_sent(m.Held)
            assert held.failure.type == "urn:perdure:error:unserved"

    run_virtually(run())


def test_recorded_input_that_does_not_fit_the_task_holds() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as first:
            first.load("doubled", {"n": 1})
            await first.until_ended()
            batch = first.batches()[0]
            (command,) = batch.commands
            odd = msgspec.structs.replace(command, input=msgspec.Raw(b'{"n":"one"}'))
            body = encode_batch(batch.event, [odd])
        async with serving(flows.doubled) as second:
            second.bodies, second.inputs = {EXECUTION: [body]}, first.inputs
            second.load("doubled")
            held = await second.until_sent(m.Held)
            assert held.failure.instance == "/double"
            assert "arguments of task double" in held.failure.detail

    run_virtually(run())
