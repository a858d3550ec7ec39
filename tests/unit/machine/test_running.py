from typing import Any

import pytest

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import program
from perdure.model import failure as failures
from perdure.model.exceptions import RaisedError, TaskFailedError, TaskTimedOutError, UsageError
from tests.unit.machine.harness import BOOM, START_MS, Played, raw, run


async def two_tasks() -> list[Any]:
    return [await run("first"), await run("second")]


def test_steps_follow_each_other() -> None:
    played = Played(two_tasks)
    assert played.asks == ["RunTask /first"]
    played.complete("/first", 1)
    assert played.asks == ["RunTask /second"]
    played.complete("/second", 2)
    assert played.asks == ["CompleteExecution"]
    assert played.result == [1, 2]
    assert played.machine.ended
    assert not played.open


def test_tasks_of_the_same_name_are_counted() -> None:
    async def thrice() -> None:
        for _ in range(3):
            await run("a/b")

    played = Played(thrice)
    for position in ("/a~1b", "/a~1b@1", "/a~1b@2"):
        assert played.open == [position]
        played.complete(position)
    assert played.machine.ended


@pytest.mark.parametrize(
    "stale",
    [
        e.TaskCompleted(time=START_MS, position="/nowhere", attempt=1, output=b"1"),  # type: ignore[arg-type]
        e.TaskCompleted(time=START_MS, position="/first", attempt=2, output=b"1"),  # type: ignore[arg-type]
        e.TaskFailed(time=START_MS, position="/first", attempt=0, failure=BOOM),
        e.TimerFired(time=START_MS, position="/first"),
        e.ChildStarted(time=START_MS, position="/first", execution_id="exec-1"),
        e.EvaluationFailed(time=START_MS, position="/first", failure=BOOM),
    ],
)
def test_answers_that_nobody_awaits_are_ignored(stale: e.AnyEvent) -> None:
    played = Played(two_tasks)
    assert not played.deliver(stale)
    assert len(played.record) == 1
    played.complete("/first")
    assert played.open == ["/second"]


def test_an_end_is_an_end() -> None:
    played = Played(two_tasks)
    played.complete("/first")
    played.complete("/second")
    assert not played.send("late")
    assert not played.cancel()
    assert not played.deliver(
        e.TaskCompleted(time=START_MS, position="/second", attempt=1, output=raw(1))
    )


# -- failures ----------------------------------------------------------------------------------


def test_a_failed_task_fails_the_execution_where_it_stands() -> None:
    played = Played(two_tasks)
    played.complete("/first")
    played.fail("/second")
    assert played.failure == BOOM.at("/second")


def test_a_failed_task_can_be_caught() -> None:
    async def careful() -> str:
        try:
            await run("first")
        except TaskFailedError as error:
            return error.failure.detail
        return "unreached"

    played = Played(careful)
    played.fail("/first")
    assert played.result == "boom"


def test_failures_of_workflow_code_are_recorded() -> None:
    async def wrong() -> None:
        raise KeyError("x")

    async def own() -> None:
        raise RaisedError("no such city", type="urn:weather:city", title="Unknown", status=404)

    assert Played(wrong).failure == failures.runtime("'x'", title="KeyError")
    assert Played(own).failure.status == 404


def test_a_result_without_json_fails_the_execution() -> None:
    async def odd() -> object:
        return object()

    failure = Played(odd).failure
    assert failure.type.endswith("/validation")
    assert "the result" in failure.detail


# -- attempts ----------------------------------------------------------------------------------


def test_attempts_follow_failures_after_growing_waits() -> None:
    async def stubborn() -> Any:
        return await run("toil", retries=2)

    played = Played(stubborn)
    played.fail("/toil")
    assert played.asks == ["StartTimer /toil/~retry@1"]
    assert played.last(c.StartTimer).due_ms == START_MS + 1_000
    assert played.last(c.StartTimer).purpose == "retry"
    assert played.open == ["/toil/~retry@1"]
    played.fire("/toil/~retry@1")
    assert played.asks == ["RunTask /toil"]
    assert played.attempt("/toil") == 2
    played.fail("/toil")
    assert played.last(c.StartTimer).due_ms == played.time + 2_000
    played.fire("/toil/~retry@2")
    assert played.attempt("/toil") == 3
    played.fail("/toil")
    assert played.failure == BOOM.at("/toil")


def test_an_attempt_may_succeed_after_others_failed() -> None:
    async def stubborn() -> Any:
        return await run("toil", retries=1)

    played = Played(stubborn)
    played.fail("/toil")
    played.fire("/toil/~retry@1")
    played.complete("/toil", "done")
    assert played.result == "done"


def test_what_cannot_be_retried_is_not() -> None:
    async def stubborn() -> Any:
        return await run("toil", retries=5)

    played = Played(stubborn)
    played.fail("/toil", retryable=False)
    assert played.failure == BOOM.at("/toil")


def test_an_attempt_that_ran_out_of_time_raises_its_own_error() -> None:
    async def careful() -> str:
        try:
            await run("toil")
        except TaskTimedOutError:
            return "late"
        return "unreached"

    played = Played(careful)
    played.fail("/toil", failures.timeout("an attempt took longer than 1s"))
    assert played.result == "late"


# -- time and chance ---------------------------------------------------------------------------


def test_sleeps_are_timers() -> None:
    async def sleepy() -> int:
        await program.sleep(5_000)
        await program.sleep(7_000)
        await program.sleep_until(START_MS)
        return program.machine().time

    played = Played(sleepy)
    assert played.last(c.StartTimer) == c.StartTimer(position="/sleep", due_ms=START_MS + 5_000)
    played.fire("/sleep")
    assert played.last(c.StartTimer).due_ms == START_MS + 12_000
    played.fire("/sleep@1")
    assert played.last(c.StartTimer).absolute
    played.fire("/sleep_until")
    assert played.result == START_MS + 12_000


def test_chance_follows_from_the_seed() -> None:
    async def drawing() -> list[Any]:
        numbers = program.machine().randomness
        return [numbers.random(), str(numbers.uuid4())]

    assert Played(drawing, seed=5).result == Played(drawing, seed=5).result
    assert Played(drawing, seed=5).result != Played(drawing, seed=6).result


def test_what_programs_use_is_refused_outside_of_one() -> None:
    with pytest.raises(UsageError, match="workflow code"):
        program.machine()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_a_program_raises_is_its_own_failure(kind: type[BaseException]) -> None:
    async def raising() -> None:
        raise kind

    assert Played(raising).failure.title == kind.__name__


def test_an_exception_without_a_text_is_a_failure_all_the_same() -> None:
    class UnprintableError(Exception):
        def __str__(self) -> str:
            raise SystemExit

    async def raising() -> None:
        raise UnprintableError

    failure = Played(raising).failure
    assert failure.title.endswith("UnprintableError")
    assert not failure.detail


def test_texts_that_are_no_unicode_are_escaped() -> None:
    async def raising() -> None:
        raise ValueError("a file called \udcff")

    assert Played(raising).failure.detail == "a file called \\udcff"
