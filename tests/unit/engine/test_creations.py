import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from perdure.engine.creations import LONGEST_S, Creations
from perdure.ports.journal import AppendBatch, Change, CreateExecution, Journal, Nothing, Outcome
from tests.support.virtual_time import run_virtually
from tests.unit.ports.subject import batch, creation

IDS = tuple("abcd")


class Submitted:
    """A journal that notes what comes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def submit(
        self, change: Change, done: Callable[[Outcome], None], *, after_logs: int = 0
    ) -> None:
        self.changes.append(change)


def ignored(outcome: Outcome) -> None:
    """Nobody waits for it."""


def opened() -> tuple[Submitted, Creations]:
    journal = Submitted()
    return journal, Creations(cast(Journal, journal))


async def _a_creation_goes_with_its_first_batch() -> None:
    journal, creations = opened()
    for id in IDS[:2]:
        creations.hold(creation(id), ignored)
    creations.append(batch(IDS[1], 0), ignored, after_logs=0)
    assert journal.changes == [creation(IDS[1]), batch(IDS[1], 0)]


def test_a_creation_goes_with_its_first_batch() -> None:
    run_virtually(_a_creation_goes_with_its_first_batch())


async def _a_creation_without_a_batch_goes_soon() -> None:
    journal, creations = opened()
    creations.hold(creation(IDS[0]), ignored)
    await asyncio.sleep(LONGEST_S / 4)
    assert not journal.changes
    creations.hold(creation(IDS[1]), ignored)
    await asyncio.sleep(LONGEST_S)
    assert journal.changes == [creation(IDS[0]), creation(IDS[1])]


def test_a_creation_without_a_batch_goes_soon() -> None:
    run_virtually(_a_creation_without_a_batch_goes_soon())


async def _order_is_kept(steps: Sequence[tuple[str, int]]) -> None:
    journal, creations = opened()
    held: list[str] = []
    next_seqs: dict[str, int] = {}
    for step, number in steps:
        if step == "wait":
            await asyncio.sleep(LONGEST_S * number / 3)
        elif step == "hold" and IDS[number] not in next_seqs:
            creations.hold(creation(IDS[number]), ignored)
            next_seqs[IDS[number]] = 0
            held.append(IDS[number])
        elif step == "append" and IDS[number] in next_seqs:
            appended = batch(IDS[number], next_seqs[IDS[number]])
            creations.append(appended, ignored, after_logs=0)
            next_seqs[IDS[number]] += 1
            assert journal.changes[-1] == appended
        elif step == "other":
            creations.submit(Nothing(), ignored)
            created = [x.execution_id for x in journal.changes if isinstance(x, CreateExecution)]
            assert sorted(created) == sorted(held)
            assert journal.changes[-1] == Nothing()
    await asyncio.sleep(LONGEST_S * 2)
    there: set[str] = set()
    for change in journal.changes:
        if isinstance(change, CreateExecution):
            assert change.execution_id not in there
            there.add(change.execution_id)
        elif isinstance(change, AppendBatch):
            assert change.execution_id in there
    assert there == set(held)


@given(
    st.lists(
        st.tuples(st.sampled_from(["hold", "append", "other", "wait"]), st.integers(0, 3)),
        max_size=30,
    )
)
def test_batches_and_other_changes_come_after_the_creations_before_them(
    steps: list[tuple[str, int]],
) -> None:
    run_virtually(_order_is_kept(steps))
