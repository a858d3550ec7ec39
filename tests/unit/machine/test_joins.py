"""What a join waits for: all of its branches, or the first that ends it."""

from typing import Any

from perdure.machine import program
from perdure.machine.branch import Join
from tests.unit.machine.harness import Played, run


async def _fails() -> None:
    raise ValueError("boom")


async def _waits_for_the_first_success() -> list[Any]:
    machine = program.machine()
    branches = [
        machine.spawn("/a", _fails()),
        machine.spawn("/b", run("slow")),
        machine.spawn("/c", run("quick")),
    ]
    join = Join(branches, stop_on_failure=False, stop_on_success=True)
    await join
    first = join.first_completed
    for branch in branches:
        machine.cancel(branch)
    await Join(branches, stop_on_failure=False)
    return [first.result if first else None, [branch.done for branch in branches]]


def test_the_first_success_ends_a_join_that_stops_on_success() -> None:
    played = Played(_waits_for_the_first_success)
    played.complete("/c/quick", "quick")
    assert played.asks == ["CancelTask /b/slow"]

    played.stopped("/b/slow")

    assert played.result == ["quick", [True, True, True]]


async def _joins_failures() -> int:
    machine = program.machine()
    branches = [machine.spawn(f"/{index}", _fails()) for index in range(3)]
    join = Join(branches, stop_on_failure=False, stop_on_success=True)
    await join
    assert join.first_completed is None
    return branches.index(join.first_failed) if join.first_failed else -1


def test_a_join_without_any_success_ends_with_the_last_failure() -> None:
    assert Played(_joins_failures).result == 0
