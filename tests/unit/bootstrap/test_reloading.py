"""Reloads after edits, one at a time, and what is said of them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from perdure.bootstrap.reloading import PATIENCE_S, Reloading, told
from perdure.engine.trials import Reloaded
from perdure.link.messages import ImportProblem
from tests.support.virtual_time import run_virtually

TAKEN = Reloaded(taken=True)
BROKEN = Reloaded(
    taken=False, problems=[ImportProblem("/flows/a.py", "/flows/a.py:3: SyntaxError: invalid")]
)


class Workshop:
    """Edits at times, and reloads that take their time; all that was said, with its time."""

    def __init__(
        self, edits: Sequence[tuple[float, str]], lengths: Sequence[float], *ends: Reloaded
    ) -> None:
        self._edits = edits
        self._lengths = list(lengths)
        self._ends = list(ends)
        self.begun: list[float] = []
        self.given_up: list[float] = []
        self.said: list[tuple[float, str]] = []
        self.under_way = 0

    async def changes(self) -> AsyncIterator[Collection[Path]]:
        for at, name in self._edits:
            await asyncio.sleep(at - self._now())
            yield {Path("/flows") / name}

    async def reload(self) -> Reloaded:
        assert self.under_way == 0
        self.under_way += 1
        self.begun.append(self._now())
        try:
            await asyncio.sleep(self._lengths.pop(0))
            return self._ends.pop(0) if self._ends else TAKEN
        except asyncio.CancelledError:
            self.given_up.append(self._now())
            raise
        finally:
            self.under_way -= 1

    def tell(self, text: str) -> None:
        self.said.append((self._now(), text))

    def run(self) -> None:
        run_virtually(Reloading(self.changes(), self.reload, self.tell).run())

    def _now(self) -> float:
        return round(asyncio.get_running_loop().time(), 3)


def test_each_edit_is_reloaded_and_told() -> None:
    shop = Workshop([(1, "a.py"), (5, "b.py")], [0.5, 0.5], TAKEN, BROKEN)
    shop.run()
    assert shop.begun == [1, 5]
    assert shop.said == [
        (1.5, "reloaded after an edit of a.py"),
        (
            5.5,
            "not reloaded after an edit of b.py: what was served before goes on\n"
            "  /flows/a.py:3: SyntaxError: invalid",
        ),
    ]


def test_what_is_edited_during_a_reload_is_reloaded_after_it() -> None:
    shop = Workshop([(1, "a.py"), (1.2, "b.py")], [0.5, 0.5])
    shop.run()
    assert shop.begun == [1, 1.5]
    assert [text for _, text in shop.said] == [
        "reloaded after an edit of a.py",
        "reloaded after an edit of b.py",
    ]


def test_code_that_hangs_when_it_is_loaded_is_given_up_once_it_is_edited() -> None:
    shop = Workshop([(1, "a.py"), (100, "b.py")], [1_000, 0.5])
    shop.run()
    assert shop.given_up == [100 + PATIENCE_S]
    assert shop.begun == [1, 100 + PATIENCE_S]
    assert shop.said == [(105.5, "reloaded after an edit of a.py, b.py")]


class Unwatchable(AsyncIterator[Collection[Path]]):
    """Changes that the system cannot watch."""

    async def __anext__(self) -> Collection[Path]:
        raise OSError("too many watches")


def test_edits_that_cannot_be_watched_are_told() -> None:
    shop = Workshop([], [])
    run_virtually(Reloading(Unwatchable(), shop.reload, shop.tell).run())
    assert shop.said == [(0, "edits are not taken up any more: too many watches")]
    assert shop.begun == []


def test_stopping_gives_a_reload_up() -> None:
    shop = Workshop([(1, "a.py")], [1_000])

    async def run() -> None:
        running = asyncio.ensure_future(Reloading(shop.changes(), shop.reload, shop.tell).run())
        await asyncio.sleep(2)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    run_virtually(run())
    assert shop.given_up == [2]
    assert shop.said == []


def test_what_is_told_of_workflows_is_one_line() -> None:
    reloaded = Reloaded(
        taken=True,
        changed=[("order", "1"), ("weather", "2")],
        new=[("extra", "1")],
        gone=[("old", "3")],
    )
    assert told(reloaded, [Path("/b.py"), Path("/x/a.py")]) == (
        "reloaded after an edit of a.py, b.py: order 1, weather 2, new: extra 1, gone: old 3"
    )


def test_problems_are_told_with_their_paths_also_where_others_are_reloaded() -> None:
    problem = ImportProblem("/flows/b.py", "no workflow found; write, for example:\n\n    x\n")
    assert told(Reloaded(taken=True, problems=[problem]), [Path("/a.py")]) == (
        "reloaded after an edit of a.py\n"
        "  /flows/b.py: no workflow found; write, for example:\n  \n      x"
    )


def test_of_many_files_a_few_are_named() -> None:
    assert told(TAKEN, [Path(f"/{number}.py") for number in range(9)]) == (
        "reloaded after an edit of 0.py, 1.py, 2.py, 3.py, 4.py and 4 more"
    )
