"""Which generation of code an execution goes on with, and which workers are kept for that."""

from collections.abc import Sequence

import pytest

from perdure.engine.generations import KEPT, Generations, Pin
from perdure.engine.handle import Handle
from perdure.engine.state import Owned
from perdure.link import messages as m

FLOW = ("flow", "1")
WANTED = 2


class Process:
    """Stands for a started process."""

    def __init__(self) -> None:
        self.channel = self

    def send(self, message: m.ToWorker) -> None: ...

    def close(self) -> None: ...

    def marks(self) -> Sequence[object]:
        return ()

    def death(self) -> str:
        return ""

    def kill(self) -> None: ...

    def bury(self) -> None: ...


class Pool:
    """Hears nothing."""

    def received(self, handle: Handle, messages: Sequence[m.ToEngine]) -> None: ...

    def closed(self, handle: Handle, reason: str) -> None: ...


class House:
    """Generations and their workers."""

    def __init__(self) -> None:
        self.generations = Generations()
        self.handles: list[Handle] = []

    def worker(self, digest: str, *, owns: int = 0) -> Handle:
        """Another worker of the current generation."""
        handle = Handle(Pool(), len(self.handles) + 1, self.generations.current, None, 0.0)
        handle.process = Process()  # type: ignore[assignment]
        handle.serving = True
        handle.served = {FLOW: digest}
        for number in range(owns):
            owned = Owned(f"exec-{handle.number}-{number}", "flow", handle, 1)
            handle.owned[owned.execution_id] = owned
        self.handles.append(handle)
        return handle

    def reload(self, at: int, digest: str, *, owns: int = 0) -> Handle:
        """A new generation serves from then on; its first worker."""
        self.generations.promote(self.generations.begin(), at)
        return self.worker(digest, owns=owns)

    def choose(self, digest: str, started_at: int | None) -> Handle | None:
        return self.generations.choose(self.handles, Pin(*FLOW, digest, started_at))

    def superfluous(self) -> list[Handle]:
        return self.generations.superfluous(self.handles, WANTED, lambda h: bool(h.owned))


@pytest.fixture
def house() -> House:
    return House()


def test_new_executions_go_to_the_current_generation(house: House) -> None:
    house.worker("a")
    newest = house.reload(100, "b", owns=5)
    assert house.generations.choose(house.handles, None) is newest
    assert house.choose("b", None) is newest
    assert house.choose("a", None) is newest  # it was created before, and has not begun


def test_the_least_busy_of_a_generation_is_chosen(house: House) -> None:
    house.worker("a", owns=2)
    free = house.worker("a", owns=1)
    assert house.choose("a", 50) is free
    assert house.choose("a", None) is free


def test_what_runs_goes_on_where_it_began(house: House) -> None:
    first = house.worker("a", owns=9)
    second = house.reload(100, "a")
    third = house.reload(200, "a")
    assert [house.choose("a", at) for at in (50, 100, 199, 200)] == [first, second, second, third]


def test_what_runs_goes_where_its_digest_is_served_else_to_the_current(house: House) -> None:
    first = house.worker("a")
    second = house.reload(100, "b")
    third = house.reload(200, "a")
    assert house.choose("b", 250) is second  # not what it began with, but the same code
    first.draining = True
    assert house.choose("a", 50) is third
    assert house.choose("gone", 50) is third
    third.killed = True
    assert house.choose("gone", 50) is None
    assert house.choose("b", 150) is second


def test_quarantines_are_chosen_for_nobody_else(house: House) -> None:
    house.worker("a").suspect = "exec-1"
    assert house.choose("a", 50) is None


def test_there_are_as_many_workers_as_wanted(house: House) -> None:
    leaving = house.worker("a", owns=3)
    leaving.leaving = True
    busy, idle = house.worker("a", owns=1), house.worker("a")
    assert house.superfluous() == [leaving]
    leaving.leaving = False
    assert house.superfluous() == [idle]
    assert busy not in house.superfluous()


def test_of_a_former_generation_one_worker_is_kept_and_the_busy_ones(house: House) -> None:
    idle, also_idle = house.worker("a"), house.worker("a")
    house.reload(100, "b")
    assert house.superfluous() == [also_idle]
    house.worker("b")
    idle.owned["exec-1"] = Owned("exec-1", "flow", idle, 1)
    assert house.superfluous() == [also_idle]


def test_former_generations_are_bounded(house: House) -> None:
    workers = [house.worker("a", owns=1)]
    for number in range(1, KEPT + 1):
        workers.append(house.reload(100 * number, f"digest {number}", owns=1))
        assert house.superfluous() == []
    newest = house.reload(1_000, "newest")
    assert house.superfluous() == [workers[0]]
    workers[0].draining = True
    assert house.choose("a", 50) is newest
    assert house.choose("digest 1", 100) is workers[1]
