from collections.abc import Coroutine
from typing import Any

import pytest

from perdure.machine import program
from perdure.model.exceptions import Cancelled, Continued, TaskFailedError
from tests.unit.machine.harness import BOOM, Played, run


def gathered(*coroutines: Coroutine[Any, Any, Any], **options: Any) -> Any:
    return program.gather(coroutines, **options)


async def returning(value: Any) -> Any:
    return value


async def two_at_once() -> Any:
    return await gathered(run("a"), run("b"))


# -- results -----------------------------------------------------------------------------------


def test_branches_have_positions_below_their_gather() -> None:
    played = Played(two_at_once)
    assert played.asks == ["RunTask /gather/0/a", "RunTask /gather/1/b"]


@pytest.mark.parametrize("first", ["/gather/0/a", "/gather/1/b"])
def test_results_are_in_order_whoever_is_first(first: str) -> None:
    played = Played(two_at_once)
    (second,) = set(played.open) - {first}
    played.complete(first, first)
    assert played.asked == []
    played.complete(second, second)
    assert played.result == ["/gather/0/a", "/gather/1/b"]


def test_gathers_nest_and_repeat() -> None:
    async def inner(name: str) -> Any:
        return await gathered(run(name), run(name))

    async def outer() -> Any:
        before = await gathered(inner("x"), run("y"))
        return [before, await gathered(inner("x"))]

    played = Played(outer)
    assert played.open == [
        "/gather/1/y",
        "/gather/0/gather/0/x",
        "/gather/0/gather/1/x",
    ]
    for number, position in enumerate(played.open):
        played.complete(position, number)
    assert played.open == ["/gather@1/0/gather/0/x", "/gather@1/0/gather/1/x"]
    for position in played.open:
        played.complete(position, position)
    assert played.result == [[[1, 2], 0], [["/gather@1/0/gather/0/x", "/gather@1/0/gather/1/x"]]]


def test_gathering_nothing_is_done_at_once() -> None:
    assert Played(gathered).result == []


def test_branches_that_never_wait_are_done_at_once() -> None:
    async def busy() -> Any:
        return await gathered(returning(1), gathered(returning(2), returning(3)))

    assert Played(busy).result == [1, [2, 3]]


# -- failures ----------------------------------------------------------------------------------


def test_the_first_failure_cancels_the_others_and_waits_for_them() -> None:
    played = Played(two_at_once)
    played.fail("/gather/0/a")
    assert played.asks == ["CancelTask /gather/1/b"]
    played.stopped("/gather/1/b")
    assert played.failure == BOOM.at("/gather/0/a")


def test_what_completes_after_the_failure_is_recorded_but_does_not_count() -> None:
    played = Played(two_at_once)
    played.fail("/gather/0/a")
    assert played.complete("/gather/1/b", 1)
    assert played.failure == BOOM.at("/gather/0/a")


def test_a_failure_withdraws_timers_and_waits_of_the_others() -> None:
    async def mixed() -> Any:
        return await gathered(
            run("a"), program.sleep(10), program.wait_for_event("e", 10), gathered(run("b"))
        )

    played = Played(mixed)
    played.fail("/gather/0/a")
    assert played.asks == [
        "CancelTimer /gather/1/sleep",
        "StopWaiting /gather/2/event:e",
        "CancelTimer /gather/2/event:e/~timeout",
        "CancelTask /gather/3/gather/0/b",
    ]
    played.stopped("/gather/3/gather/0/b")
    assert played.machine.ended


def test_exceptions_can_be_results() -> None:
    async def tolerant() -> Any:
        results = await gathered(run("a"), run("b"), return_exceptions=True)
        return [type(result).__name__ for result in results]

    played = Played(tolerant)
    played.fail("/gather/0/a")
    assert played.asked == []
    played.complete("/gather/1/b", "fine")
    assert played.result == ["TaskFailedError", "str"]


def test_a_failure_can_be_caught_and_the_program_goes_on() -> None:
    async def careful() -> Any:
        try:
            await two_at_once()
        except TaskFailedError:
            return await run("instead")

    played = Played(careful)
    played.fail("/gather/1/b")
    played.stopped("/gather/0/a")
    assert played.open == ["/instead"]
    played.complete("/instead", 1)
    assert played.result == 1


def test_cancelled_branches_clean_up_before_the_failure_is_raised() -> None:
    async def cleaning() -> None:
        try:
            await run("a")
        finally:
            await run("cleanup")

    async def outer() -> Any:
        return await gathered(cleaning(), run("b"))

    played = Played(outer)
    played.fail("/gather/1/b")
    played.stopped("/gather/0/a")
    assert played.asks == ["RunTask /gather/0/cleanup"]
    played.complete("/gather/0/cleanup")
    assert played.failure == BOOM.at("/gather/1/b")


def test_a_branch_is_woken_once_when_it_is_ready_and_cancelled_in_the_same_step() -> None:
    async def ready() -> Any:
        await gathered(returning(1))
        return await run("after")

    async def failing() -> None:
        raise ValueError("boom")

    async def outer() -> Any:
        try:
            await gathered(ready(), failing())
        except ValueError:
            return await run("instead")

    played = Played(outer)
    assert played.asks == ["RunTask /instead"]
    assert played.open == ["/instead"]


def test_a_gather_that_is_cancelled_while_it_cleans_up_waits_for_its_branches() -> None:
    async def inner() -> Any:
        return await gathered(run("slow"), run("wrong"))

    async def outer() -> Any:
        try:
            await gathered(inner(), run("other"))
        except TaskFailedError:
            return await run("instead")

    played = Played(outer)
    played.fail("/gather/0/gather/1/wrong")
    assert played.asks == ["CancelTask /gather/0/gather/0/slow"]
    played.fail("/gather/1/other")
    assert played.asked == []
    played.stopped("/gather/0/gather/0/slow")
    assert played.asks == ["RunTask /instead"]


def test_continuing_as_new_leaves_a_gather_that_collects_exceptions() -> None:
    async def leaving() -> None:
        raise Continued(b'{"n":2}')

    async def outer() -> Any:
        return await gathered(leaving(), returning(1), return_exceptions=True)

    assert Played(outer).asks == ["ContinueAsNew"]


# -- cancelling --------------------------------------------------------------------------------


def test_cancelling_reaches_every_branch() -> None:
    played = Played(two_at_once)
    played.cancel()
    assert played.asks == [
        "CancelTask /gather/0/a",
        "CancelTask /gather/1/b",
        "StartTimer /~cleanup",
    ]
    played.stopped("/gather/1/b")
    played.stopped("/gather/0/a")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_cancelling_a_gather_that_collects_exceptions_cancels_it() -> None:
    async def tolerant() -> Any:
        return await gathered(run("a"), return_exceptions=True)

    played = Played(tolerant)
    played.cancel()
    played.stopped("/gather/0/a")
    assert played.asks == ["CancelTimer /~cleanup", "CancelExecution"]


def test_a_branch_that_is_done_is_not_cancelled() -> None:
    async def keeping() -> Any:
        try:
            await gathered(run("a"), run("b"))
        except Cancelled:
            return "left"

    played = Played(keeping)
    played.complete("/gather/0/a")
    played.cancel()
    assert played.asks == ["CancelTask /gather/1/b", "StartTimer /~cleanup"]
    played.stopped("/gather/1/b")
    assert played.result == "left"
