"""What only an event loop can await is an error, at the place where it is awaited."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perdure.model.exceptions import UsageError
from tests.unit.machine.harness import Played, run


class Yielding:
    """Yields something of its own, as the primitives of event loops do."""

    def __await__(self) -> Any:
        return (yield self)


async def waiting_for_an_event() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("foreign", "named"),
    [
        (lambda: asyncio.sleep(0), "asyncio.sleep(0) or a bare yield"),
        (Yielding, "Yielding"),
        (lambda: asyncio.sleep(1), "no event loop"),
        (waiting_for_an_event, "no event loop"),
        (lambda: asyncio.to_thread(print), "no event loop"),
    ],
)
def test_the_failure_says_what_to_do(foreign: Callable[[], Awaitable[Any]], named: str) -> None:
    async def awaiting() -> Any:
        await run("first")
        await foreign()

    played = Played(awaiting)
    played.complete("/first")
    assert played.failure.title == "UsageError"
    assert named in played.failure.detail
    assert "task" in played.failure.detail


def test_it_is_raised_where_it_is_awaited() -> None:
    async def careful() -> str:
        try:
            await asyncio.sleep(0)
        except UsageError:
            return await run("instead")  # type: ignore[no-any-return]
        return "unreached"

    played = Played(careful)
    assert played.open == ["/instead"]
    played.complete("/instead", "fine")
    assert played.result == "fine"


async def test_a_future_of_a_loop_that_runs_is_refused_too() -> None:
    future = asyncio.get_running_loop().create_future()

    async def awaiting() -> Any:
        return await future

    played = Played(awaiting)
    assert "Future" in played.failure.detail
    future.cancel()
