from typing import Any

from perdure.machine import commands as c
from perdure.machine import program
from perdure.model.exceptions import Cancelled, TaskTimedOutError
from tests.unit.machine.harness import START_MS, Played, run

LIMIT = "/toil/~timeout"


async def limited() -> Any:
    return await run("toil", retries=5, total_ms=10_000)


# -- of a task ---------------------------------------------------------------------------------


def test_a_task_that_is_in_time_takes_its_deadline_back() -> None:
    played = Played(limited)
    assert played.asks == [f"StartTimer {LIMIT}", "RunTask /toil"]
    played.complete("/toil", 1)
    assert played.asks == [f"CancelTimer {LIMIT}", "CompleteExecution"]


def test_an_attempt_that_runs_when_time_is_over_is_asked_to_stop() -> None:
    played = Played(limited)
    played.fire(LIMIT)
    assert played.asks == ["CancelTask /toil"]
    played.stopped("/toil")
    assert played.failure.type.endswith("/timeout")
    assert played.failure.detail == "task toil took longer than 10s in all"
    assert played.failure.instance == "/toil"


def test_a_wait_for_the_next_attempt_ends_when_time_is_over() -> None:
    played = Played(limited)
    played.fail("/toil")
    played.fire(LIMIT)
    assert played.asks == ["CancelTimer /toil/~retry@1", "FailExecution"]


def test_no_attempt_follows_when_time_is_over() -> None:
    played = Played(limited)
    played.fire(LIMIT)
    played.fail("/toil")
    assert played.failure.type.endswith("/timeout")


def test_the_cancel_wins_over_a_deadline_that_passed_before_it() -> None:
    played = Played(limited)
    played.fire(LIMIT)
    played.cancel()
    assert played.asks == ["StartTimer /~cleanup"]
    played.stopped("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_the_cancel_wins_over_a_deadline_that_passes_after_it() -> None:
    played = Played(limited)
    played.cancel()
    played.fire(LIMIT)
    assert played.asked == []
    played.stopped("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_a_deadline_can_be_caught() -> None:
    async def careful() -> Any:
        try:
            await limited()
        except TaskTimedOutError:
            return await run("instead")

    played = Played(careful)
    played.fire(LIMIT)
    played.stopped("/toil")
    assert played.open == ["/instead"]


def test_a_deadline_of_one_branch_leaves_the_others_alone() -> None:
    async def both() -> Any:
        results = await program.gather([limited(), run("other")], return_exceptions=True)
        return [type(result).__name__ for result in results]

    played = Played(both)
    played.fire("/gather/0/toil/~timeout")
    played.stopped("/gather/0/toil")
    played.complete("/gather/1/other", 1)
    assert played.result == ["TaskTimedOutError", "int"]


class Passed(BaseException):
    """A deadline of a test has passed."""


async def nested() -> Any:
    machine = program.machine()
    try:
        machine.set_deadline("/outer", START_MS + 1_000, Passed("outer"))
        machine.set_deadline("/inner", START_MS + 5_000, Passed("inner"))
        return await run("toil")
    except Passed as passed:
        return str(passed)
    finally:
        machine.clear_deadline("/inner")
        machine.clear_deadline("/outer")


def test_a_deadline_that_passes_takes_those_within_it_back() -> None:
    played = Played(nested)
    played.fire("/outer")
    assert played.asks == ["CancelTimer /inner", "CancelTask /toil"]
    played.stopped("/toil")
    assert played.result == "outer"


def test_the_outer_one_of_two_deadlines_wins_that_pass_while_a_task_stops() -> None:
    played = Played(nested)
    played.fire("/inner")
    played.fire("/outer")
    assert played.asks == []
    played.stopped("/toil")
    assert played.result == "outer"


# -- of the execution --------------------------------------------------------------------------


def test_an_execution_in_time_takes_its_deadline_back() -> None:
    played = Played(limited, timeout_ms=60_000)
    assert played.asks[0] == "StartTimer /~timeout"
    command = played.machine.open["/~timeout"].command
    assert isinstance(command, c.StartTimer)
    assert command.due_ms == START_MS + 60_000
    played.complete("/toil")
    assert played.asks == [f"CancelTimer {LIMIT}", "CancelTimer /~timeout", "CompleteExecution"]


def test_an_execution_that_is_late_cleans_up_and_fails() -> None:
    async def cleaning() -> None:
        try:
            await run("toil")
        finally:
            await run("cleanup")

    played = Played(cleaning, timeout_ms=60_000)
    played.fire("/~timeout")
    played.stopped("/toil")
    assert played.open == ["/~cleanup", "/cleanup"]
    played.complete("/cleanup")
    assert played.asks == ["CancelTimer /~cleanup", "FailExecution"]
    assert played.failure.type.endswith("/timeout")


def test_a_cancel_after_the_deadline_leaves_it_a_timeout() -> None:
    played = Played(run_work, timeout_ms=60_000)
    played.fire("/~timeout")
    played.cancel()
    played.stopped("/toil")
    assert played.failure.type.endswith("/timeout")


def test_a_deadline_after_the_cancel_leaves_it_cancelled() -> None:
    played = Played(run_work, timeout_ms=60_000)
    played.cancel()
    played.fire("/~timeout")
    played.stopped("/toil")
    assert played.asks[-1] == "CancelExecution"


def test_cleanup_that_is_cut_after_a_timeout_fails_as_timed_out() -> None:
    async def deaf() -> None:
        while True:
            try:
                await run("toil")
            except Cancelled:
                await run("cleanup")

    played = Played(deaf, timeout_ms=60_000)
    played.fire("/~timeout")
    played.stopped("/toil")
    played.fire("/~cleanup")
    assert played.failure.type.endswith("/timeout")


async def run_work() -> Any:
    return await run("toil")
