"""Executions in a worker that nothing disturbs."""

from collections.abc import Callable

import msgspec
import pytest

from perdure.link import messages as m
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.branch import Perform
from perdure.machine.program import machine
from perdure.model.failure import Failure, expression
from perdure.ports.runtime import Served
from tests.support.scripted_engine import EXECUTION, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows
from tests.unit.worker.doing import go


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


class Evaluates:
    """A program that evaluates an expression, then waits for an event."""

    def served(self) -> Served:
        return Served(workflow_id="evaluates", version="1", digest="d")

    async def begin(self, inputs: bytes) -> bytes:
        position = machine().next_position("value")
        event = await Perform(
            c.Evaluate(position=position, expression=".n + 1", arguments=msgspec.Raw(inputs))
        )
        if isinstance(event, e.EvaluationFailed):
            return msgspec.json.encode(event.failure.detail)
        assert isinstance(event, e.Evaluated)
        received = await Perform(c.WaitForEvent(position="/go", name="go"))
        assert isinstance(received, e.EventReceived)
        return b"[%b,%b]" % (bytes(event.output), bytes(received.data))


class HeldEvaluator:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.done: list[Callable[[bytes | Failure], None]] = []

        self.dropped: list[str] = []

    def evaluate(
        self,
        owner: str,
        expression: str,
        arguments: bytes,
        done: Callable[[bytes | Failure], None],
    ) -> Callable[[], None]:
        self.asked.append((expression, arguments))
        self.done.append(done)
        return lambda: self.dropped.append(owner)

    def close(self) -> None:
        pass


def test_a_worker_says_what_it_serves() -> None:
    async def run() -> None:
        async with serving(flows.doubled, flows.sleeps) as engine:
            serving_message = await engine.until_sent(m.Serving)
            ids = [served.workflow_id for served in serving_message.workflows]
            assert ids == ["doubled", "sleeps"]
            assert serving_message.problems == []

    run_virtually(run())


def test_a_plain_run() -> None:
    async def run() -> None:
        async with serving(flows.doubled_twice) as engine:
            engine.load("doubled_twice", {"n": 3})
            assert await engine.until_ended() == m.Ended("completed", result=b"12")
            assert engine.kinds() == ["ExecutionStarted", "TaskCompleted", "TaskCompleted"]
            started = engine.events()[0]
            assert isinstance(started, e.ExecutionStarted)
            assert (started.seed, started.workflow_id, started.run) == (7, "doubled_twice", 1)
            assert started.digest == flows.doubled_twice.served().digest
            appends = engine.all(m.Append)
            assert [append.seq for append in appends] == [0, 1, 2]
            assert [append.working for append in appends] == [True, True, False]
            assert [append.guarded for append in appends] == [True, True, True]
            assert engine.lines() == ["started", "first 6", "second 12", "completed in 0s"]
            assert [record.batch for record in engine.logs] == [-2, 1, 2, -2]

    run_virtually(run())


def test_an_effect_begins_when_its_batch_is_committed_and_not_before() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            engine.commits = False
            engine.load("doubled", {"n": 3})
            await engine.until_sent(m.Append)
            await engine.settle()
            assert flows.begun == []
            engine.commit_all()
            await engine.until_sent(m.Append, 2)
            assert flows.begun == ["double 3"]
            await engine.settle()
            assert engine.all(m.Released) == []

    run_virtually(run())


def test_appends_are_pipelined() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            engine.commits = False
            engine.load("listens")
            await engine.until_sent(m.Append)
            engine.deliver(go("1"), go("2"))
            await engine.until_sent(m.Append, 3)
            assert [append.inbox_seen for append in engine.all(m.Append)] == [0, 1, 2]
            engine.commit_all()
            ended = await engine.until_ended()
            assert ended.result == b'["1","2"]'

    run_virtually(run())


def test_times_never_decrease() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            early = e.EventReceived(time=START_MS - 5_000, name="go", data=msgspec.Raw(b"1"))
            engine.load("listens", inbox=[early, go()])
            await engine.until_ended()
            times = [event.time for event in engine.events()]
            assert times == [START_MS] * 3

    run_virtually(run())


def test_timers_and_what_follows_their_firing() -> None:
    async def run() -> None:
        async with serving(flows.sleeps) as engine:
            engine.load("sleeps", {"ms": 5_000}, timeout_ms=60_000)
            append = await engine.until_sent(m.Append)
            timers = [(timer.position, timer.due_ms) for timer in append.timers_set]
            assert timers == [("/~timeout", START_MS + 60_000), ("/sleep", START_MS + 5_000)]
            assert not append.working
            engine.deliver(e.TimerFired(time=START_MS + 5_000, position="/sleep"))
            assert (await engine.until_ended()).result == b'"awake"'
            assert engine.all(m.Append)[-1].timers_cleared == ["/~timeout"]

    run_virtually(run())


def test_what_is_asked_for_and_withdrawn_in_one_step_is_not_begun() -> None:
    async def run() -> None:
        async with serving(flows.races) as engine:
            engine.load("races")
            ended = await engine.until_ended()
            assert ended.status == "failed"
            assert engine.kinds() == ["ExecutionStarted", "TaskCancelled"]
            assert flows.begun == []

    run_virtually(run())


def test_continuing_as_new() -> None:
    async def run() -> None:
        async with serving(flows.counts_down) as engine:
            engine.load("counts_down", {"n": 2})
            assert (await engine.until_ended()).result == b'"done"'
            assert engine.kinds() == ["ExecutionStarted", "TaskCompleted"] * 3
            renewals = [append.new_inputs for append in engine.all(m.Append)]
            assert renewals == [None, b'{"n":1}', None, b'{"n":0}', None, None]
            assert [append.seq for append in engine.all(m.Append)] == [0, 1, 2, 3, 4, 5]
            assert engine.all(m.Append)[1].working
            assert "continued as new" in engine.lines()

    run_virtually(run())


def test_events_are_carried_into_the_next_generation_and_answers_are_not() -> None:
    async def run() -> None:
        async with serving(flows.counts_down) as engine:
            engine.commits = False
            engine.load("counts_down", {"n": 1})
            await engine.until_sent(m.Append)
            engine.deliver(go("1"))
            await engine.until_sent(m.Append, 2)
            engine.commit_all()
            await engine.until_sent(m.Append, 3)
            stale = e.TaskCompleted(
                time=START_MS, position="/double", attempt=1, output=msgspec.Raw(b"666")
            )
            engine.deliver(go("2"), stale)
            await engine.settle()
            engine.commits = True
            engine.commit_all()
            await engine.until_ended()
            assert engine.kinds() == [
                "ExecutionStarted",
                "EventReceived",
                "TaskCompleted",
                "ExecutionStarted",
                "EventReceived",
                "TaskCompleted",
            ]
            begin = engine.events()[3]
            assert isinstance(begin, e.ExecutionStarted)
            assert [bytes(carried.data) for carried in begin.carried] == [b"1"]
            last = engine.events()[-1]
            assert isinstance(last, e.TaskCompleted)
            assert bytes(last.output) == b"0"
            assert engine.all(m.Append)[-1].inbox_seen == 3

    run_virtually(run())


def test_an_evaluation_is_answered_before_any_other_event() -> None:
    async def run() -> None:
        evaluator = HeldEvaluator()
        async with serving(Evaluates(), evaluator=evaluator) as engine:
            engine.commits = False
            engine.load("evaluates", {"n": 1})
            await engine.until_sent(m.Append)
            await engine.settle()
            assert evaluator.asked == []
            engine.commits = True
            engine.commit_all()
            engine.deliver(go("5"))
            await engine.settle()
            assert evaluator.asked == [(".n + 1", b'{"n":1}')]
            assert engine.kinds() == ["ExecutionStarted"]
            evaluator.done[0](b"2")
            assert (await engine.until_ended()).result == b"[2,5]"
            assert engine.kinds() == ["ExecutionStarted", "Evaluated", "EventReceived"]

    run_virtually(run())


def test_an_evaluation_that_fails_is_recorded() -> None:
    async def run() -> None:
        evaluator = HeldEvaluator()
        async with serving(Evaluates(), evaluator=evaluator) as engine:
            engine.load("evaluates", {"n": 1})
            await engine.until(lambda: evaluator.done)
            evaluator.done[0](expression("it was killed"))
            assert (await engine.until_ended()).result == b'"it was killed"'

    run_virtually(run())


def test_without_an_evaluator_evaluations_fail_saying_so() -> None:
    async def run() -> None:
        async with serving(Evaluates()) as engine:
            engine.load("evaluates", {"n": 1})
            result = (await engine.until_ended()).result
            assert result is not None
            assert b"no evaluator is installed" in result

    run_virtually(run())


def test_asyncio_in_workflow_code_fails_at_the_call() -> None:
    async def run() -> None:
        async with serving(flows.uses_asyncio) as engine:
            engine.load("uses_asyncio")
            ended = await engine.until_ended()
            assert ended.failure is not None
            assert "asyncio was used in workflow code" in ended.failure.detail

    run_virtually(run())


def test_a_workflow_that_exits_fails_and_the_worker_goes_on() -> None:
    async def run() -> None:
        async with serving(flows.exits, flows.doubled) as engine:
            engine.load("exits")
            ended = await engine.until_ended()
            assert ended.status == "failed"
            engine.load("doubled", {"n": 1}, execution_id="exec-2")
            assert (await engine.until_ended("exec-2")).result == b"2"

    run_virtually(run())


def test_cancelling_runs_the_cleanup() -> None:
    async def run() -> None:
        async with serving(flows.cleans_up) as engine:
            engine.load("cleans_up", {"seconds": 60})
            await engine.until(lambda: flows.begun == ["slow"])
            engine.deliver(e.CancelRequested(time=START_MS))
            ended = await engine.until_ended()
            assert ended.status == "cancelled"
            assert engine.kinds() == [
                "ExecutionStarted",
                "CancelRequested",
                "TaskCancelled",
                "TaskCompleted",
            ]
            assert flows.begun == ["slow", "double 99"]

    run_virtually(run())


def test_pings_are_answered() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            engine.send(m.Ping(5))
            assert await engine.until_sent(m.Pong) == m.Pong(5)

    run_virtually(run())


def test_messages_of_an_unknown_execution_or_epoch_are_dropped() -> None:
    async def run() -> None:
        async with serving(flows.sleeps) as engine:
            engine.load("sleeps", {"ms": 1_000})
            await engine.until_sent(m.Append)
            for epoch, execution_id in ((7, EXECUTION), (1, "exec-other")):
                engine.send(m.Committed(execution_id, epoch, 0))
                engine.send(m.Halt(execution_id, epoch))
                engine.send(m.Refused(execution_id, epoch))
                engine.send(m.Deliver(execution_id, epoch, engine.rows(go())))
                engine.send(m.AttemptsLost(execution_id, epoch, []))
                engine.send(m.StopAttempts(execution_id, ["/nowhere"]))
            await engine.settle()
            assert len(engine.all(m.Append)) == 1
            assert engine.all(m.Released) == []

    run_virtually(run())


def test_an_evaluation_of_a_released_execution_is_dropped() -> None:
    async def run() -> None:
        evaluator = HeldEvaluator()
        async with serving(Evaluates(), evaluator=evaluator) as engine:
            engine.load("evaluates", {"n": 1})
            await engine.until(lambda: evaluator.done)
            assert evaluator.dropped == []
            engine.send(m.Halt(EXECUTION, 1))
            await engine.until_sent(m.Released)
            assert evaluator.dropped == [EXECUTION]
            evaluator.done[0](b"2")
            await engine.settle()
            assert engine.kinds() == ["ExecutionStarted"]

    run_virtually(run())
