"""What becomes of outcomes that workers hand back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from perdure.engine.ownership import Ownership
from perdure.engine.state import Limits, State
from perdure.link import messages as m
from perdure.machine.batch import encode_event
from perdure.ports.journal import InboxEntry
from perdure.store.sqlite.store import SqliteStore
from tests.recovery.simulation import InlineReader
from tests.support.virtual_time import VirtualClock, run_virtually
from tests.unit.engine.owning import PlayedWorker
from tests.unit.engine.recorded import completed
from tests.unit.ports.subject import batch, creation

ID = "exec-374bao9k00000"


def test_outcomes_of_a_generation_that_has_ended_answer_nothing(tmp_path: Path) -> None:
    """Whatever the next one has begun at the same position."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        store = SqliteStore.open(tmp_path, loop.call_soon, threads=False)
        state = State(store.journal, store.logs, VirtualClock(loop), InlineReader(), Limits())
        ownership = Ownership(state, lambda: "")
        await state.submit(creation(ID))
        await state.submit(msgspec.structs.replace(batch(ID, 0), new_inputs=b"{}"))

        async def inbox_after(generation: int) -> Sequence[InboxEntry]:
            event = encode_event(completed("/task"))
            outcomes = m.Outcomes(ID, 0, generation, [m.Unrecorded(event)])
            ownership.returns.take(PlayedWorker(), outcomes)
            await asyncio.sleep(1)
            snapshot = store.journal.snapshot(ID)
            assert snapshot is not None
            return snapshot.inbox

        assert await inbox_after(0) == []
        assert len(await inbox_after(1)) == 1
        store.close()

    run_virtually(run())
