"""How deep workflows may start one another."""

import asyncio
from pathlib import Path

import pytest

from perdure.engine.families import DEEPEST, Families
from perdure.engine.state import Limits, Owned, State
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine.batch import decode_event
from perdure.ports.journal import CreateExecution, PutInbox
from perdure.ports.runtime import Served
from perdure.store.sqlite.store import SqliteStore
from tests.recovery.simulation import InlineReader
from tests.support.virtual_time import VirtualClock, run_virtually

CHILD = "exec-374bao9k00001"


@pytest.mark.parametrize("wait", [True, False])
def test_the_depth_of_children_has_a_limit(tmp_path: Path, wait: bool) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        store = SqliteStore.open(tmp_path, loop.call_soon, threads=False)
        state = State(store.journal, store.logs, VirtualClock(loop), InlineReader(), Limits())
        state.catalog.register([Served(workflow_id="w", version="1", digest="d")])
        families = Families(state, lambda: CHILD)
        child = m.NewChild("/child", "w", None, b"{}", wait)
        append = m.Append("exec-1", 1, 0, 0, 0, b"{}", True, True, children=[child, child])

        owned = Owned("exec-1", "w", None, 1)  # type: ignore[arg-type]
        owned.depth = DEEPEST - 1
        created = [x for x in families.follow(owned, append) if isinstance(x, CreateExecution)]
        assert [each.depth for each in created] == [DEEPEST, DEEPEST], "however many there are"

        owned.depth = DEEPEST
        for change in families.follow(owned, append):
            assert isinstance(change, PutInbox)
            event = decode_event(change.event)
            assert isinstance(event, e.ChildFailed)
            assert event.execution_id is None
            assert f"at most {DEEPEST} deep" in event.failure.detail
        store.close()

    run_virtually(run())
