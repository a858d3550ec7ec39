from collections.abc import Generator
from typing import Any

import pytest

from perdure import UsageError, gather, sleep, task
from tests.unit.machine.harness import Played


@task
async def work(number: int) -> int:
    return number


async def helper(number: int) -> int:
    return await work(number) + await work(number)


class Later:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, Any, int]:
        return work(3).__await__()


async def everything() -> list[int | None]:
    one, two, three, none = await gather(work(1), helper(2), Later(), sleep("1s"))
    return [one, two, three, none]


def test_tasks_helpers_waits_and_other_awaitables_run_at_once() -> None:
    played = Played(everything)
    assert played.open == [
        "/gather/0/work",
        "/gather/1/work",
        "/gather/2/work",
        "/gather/3/sleep",
    ]
    for position, output in (("/gather/0/work", 1), ("/gather/1/work", 2), ("/gather/2/work", 3)):
        played.complete(position, output)
    played.complete("/gather/1/work@1", 5)
    played.fire("/gather/3/sleep")
    assert played.result == [1, 7, 3, None]


def test_any_number_can_be_gathered() -> None:
    async def many() -> list[int]:
        return await gather(*[work(number) for number in range(8)])

    played = Played(many)
    for position in played.open:
        played.complete(position, 1)
    assert played.result == [1] * 8


def test_failures_can_be_results() -> None:
    async def tolerant() -> list[str]:
        results = await gather(work(1), work(2), return_exceptions=True)
        return [type(result).__name__ for result in results]

    played = Played(tolerant)
    played.fail("/gather/0/work")
    played.complete("/gather/1/work", 2)
    assert played.result == ["TaskFailedError", "int"]


def test_a_refused_gather_leaves_no_coroutine_behind() -> None:
    with pytest.raises(UsageError, match=r"asyncio\.gather"):
        _ = gather(helper(1), helper(2))


def test_what_cannot_be_awaited_is_refused_at_the_call() -> None:
    async def wrong() -> str:
        try:
            await gather(work(1), 5)  # type: ignore[call-overload]
        except TypeError as error:
            return str(error)
        return "unreached"

    assert Played(wrong).result == "gather() awaits tasks, children and coroutines, not 5"
