"""An execution is loaded with every outcome that was handed back before."""

import asyncio
from pathlib import Path

import pytest

from perdure.engine.admission import Admission
from perdure.engine.generations import Pin
from perdure.engine.state import Worker
from perdure.link import messages as m
from perdure.store.sqlite.store import JOURNAL_FILE
from tests.support.virtual_time import run_virtually
from tests.unit.engine.owning import ID, Owning, PlayedWorker, owning, settled


class OneWorker:
    """A pool of the one worker, which serves everything."""

    def __init__(self, worker: PlayedWorker) -> None:
        self._worker = worker

    def choose(self, execution_id: str, pin: Pin | None = None) -> Worker | None:
        """The worker."""
        return self._worker

    def serves(self, pin: Pin) -> bool:
        """It does."""
        return True


def admission_of(its: Owning) -> Admission:
    """Admission for an execution that nobody owns now."""
    its.ownership.disown(its.state.owned[ID])
    its.worker.channel.sent.clear()
    admission = Admission(its.state, its.ownership, OneWorker(its.worker))
    its.ownership.on_ready = its.ownership.returns.on_ready = admission.ready
    return admission


def loads(its: Owning) -> list[m.Load]:
    return [message for message in its.worker.channel.sent if isinstance(message, m.Load)]


@pytest.mark.parametrize("turns", range(2))
def test_a_load_has_what_is_handed_back_while_it_is_under_way(tmp_path: Path, turns: int) -> None:
    """Or is given up, and made anew."""

    async def run() -> None:
        async with owning(tmp_path) as its:
            admission_of(its).ready(ID)
            for _ in range(turns):
                await asyncio.sleep(0)
            assert loads(its) == []
            its.hand_back(None, "line")
            await settled()
            (load,) = loads(its)
            assert [len(load.batches), len(load.inbox)] == [1, 1]
            assert its.sent(m.Deliver) == []

    run_virtually(run())


def test_while_the_store_fails_there_is_no_load(tmp_path: Path) -> None:
    async def run() -> None:
        async with owning(tmp_path) as its:
            admission = admission_of(its)
            its.failing.add(JOURNAL_FILE)
            its.hand_back(None, "line")
            for _ in range(5):
                admission.ready(ID)
                await asyncio.sleep(1)
            assert loads(its) == []
            its.failing.clear()
            await asyncio.sleep(2)
            (load,) = loads(its)
            assert len(load.inbox) == 1

    run_virtually(run())
