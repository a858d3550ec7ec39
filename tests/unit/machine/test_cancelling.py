from contextlib import suppress
from typing import Any

from perdure.machine import commands as c
from perdure.machine import program
from perdure.model.exceptions import Cancelled, Continued
from tests.unit.machine.harness import BOOM, CLEANUP_MS, START_MS, Played, run


async def one_task() -> Any:
    return await run("toil")


def test_a_task_is_asked_to_stop_and_the_execution_ends_once_it_has() -> None:
    played = Played(one_task)
    played.cancel()
    assert played.asks == ["CancelTask /toil", "StartTimer /~cleanup"]
    assert played.machine.cancel_requested
    played.stopped("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_a_task_that_completes_all_the_same_does_not_stop_the_cancelling() -> None:
    played = Played(one_task)
    played.cancel()
    played.complete("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_waits_end_at_once() -> None:
    async def waiting() -> None:
        await program.wait_for_event("e", None)

    played = Played(waiting)
    played.cancel()
    assert played.asks == ["StopWaiting /event:e", "CancelExecution"]


def test_no_attempt_follows_a_failure_after_the_cancel() -> None:
    async def stubborn() -> Any:
        return await run("toil", retries=3)

    played = Played(stubborn)
    played.cancel()
    played.fail("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_the_wait_before_an_attempt_ends_at_once() -> None:
    async def stubborn() -> Any:
        return await run("toil", retries=3)

    played = Played(stubborn)
    played.fail("/toil")
    played.cancel()
    assert played.asks == ["CancelTimer /toil/~retry@1", "CancelExecution"]


def test_a_second_request_changes_nothing() -> None:
    played = Played(one_task)
    played.cancel()
    assert not played.cancel()
    assert len(played.record) == 2


def test_an_awaited_child_is_cancelled_and_one_that_lives_on_its_own_is_not() -> None:
    async def parent() -> None:
        await program.run_child("child", None, b"{}")

    async def starter() -> None:
        await program.start_child("child", None, b"{}")

    awaited = Played(parent)
    awaited.cancel()
    assert awaited.asks == ["CancelChild /child:child", "StartTimer /~cleanup"]
    apart = Played(starter)
    apart.cancel()
    assert apart.asks == ["StartTimer /~cleanup"]


# -- cleanup -----------------------------------------------------------------------------------


async def cleaning() -> Any:
    try:
        return await run("toil")
    finally:
        await run("cleanup", retries=1)
        await program.sleep(1_000)


def test_cleanup_may_await_tasks_and_time() -> None:
    played = Played(cleaning)
    played.cancel()
    played.stopped("/toil")
    assert played.asks == ["RunTask /cleanup"]
    played.fail("/cleanup")
    played.fire("/cleanup/~retry@1")
    played.complete("/cleanup")
    played.fire("/sleep")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_cleanup_is_cut_when_its_time_is_over() -> None:
    played = Played(cleaning)
    played.cancel()
    played.stopped("/toil")
    command = played.machine.open["/~cleanup"].command
    assert isinstance(command, c.StartTimer)
    assert command.due_ms == START_MS + CLEANUP_MS
    played.fire("/~cleanup")
    assert played.asks == ["CancelTask /cleanup", "CancelExecution"]


def test_a_task_that_does_not_stop_is_cut_and_asked_only_once() -> None:
    played = Played(one_task)
    played.cancel()
    played.fire("/~cleanup")
    assert played.asks == ["CancelExecution"]


def test_cleanup_code_that_is_cut_leaves_nothing_in_the_record() -> None:
    async def greedy() -> Any:
        for _ in range(3):
            try:
                await run("toil", total_ms=1_000)
            except BaseException:
                program.machine().patched("greedy")
                await program.gather([run("more", total_ms=1_000)])

    played = Played(greedy)
    played.cancel()
    played.stopped("/toil")
    played.fire("/~cleanup")
    assert played.asks == [
        "CancelTimer /gather/0/more/~timeout",
        "CancelTask /gather/0/more",
        "CancelExecution",
    ]
    assert not played.open


def test_cleanup_that_fails_fails_the_execution() -> None:
    played = Played(cleaning)
    played.cancel()
    played.stopped("/toil")
    played.fail("/cleanup", retryable=False)
    assert played.failure == BOOM.at("/cleanup")


def test_who_swallows_the_cancel_goes_on_under_the_limit() -> None:
    async def deaf() -> Any:
        with suppress(Cancelled):
            await run("toil")
        return await run("more")

    played = Played(deaf)
    played.cancel()
    played.stopped("/toil")
    assert played.open == ["/~cleanup", "/more"]
    played.complete("/more", "kept")
    assert played.asks == ["CancelTimer /~cleanup", "CompleteExecution"]


def test_a_cancelled_execution_does_not_continue_as_new() -> None:
    async def endless() -> None:
        try:
            await run("toil")
        finally:
            raise Continued(b"{}")

    played = Played(endless)
    played.cancel()
    played.stopped("/toil")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]
