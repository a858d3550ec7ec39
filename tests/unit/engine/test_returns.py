"""What becomes of outcomes that workers hand back, and when their execution is loaded."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from perdure.link import messages as m
from perdure.machine.batch import encode_batch
from perdure.model.status import Status
from perdure.ports.journal import End, Pause
from perdure.store.sqlite.store import JOURNAL_FILE, LOGS_FILE
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.engine.owning import DISK, ID, TASK, Owning, PlayedWorker, owning, settled
from tests.unit.engine.recorded import completed

Play = Callable[[Callable[[Owning], Awaitable[None]]], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a scene with an execution that is owned and has one batch."""

    def play(scene: Callable[[Owning], Awaitable[None]]) -> None:
        async def run() -> None:
            async with owning(tmp_path) as its:
                await scene(its)

        run_virtually(run())

    return play


# -- where an append with the outcome had come -----------------------------------------------------


def test_what_is_being_recorded_is_not_put_and_its_lines_not_repeated(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.append(1, "line")
        its.hand_back(1, "line")
        await settled()
        assert (its.batches(), its.inbox(), its.lines()) == (2, 0, ["line"])

    play(scene)


def test_what_is_recorded_is_not_put_either(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.append(1, "line")
        await settled()
        its.hand_back(1, "line")
        await settled()
        assert (its.batches(), its.inbox(), its.lines()) == (2, 0, ["line"])

    play(scene)


def test_what_ends_its_execution_is_not_put_and_its_lines_not_repeated(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.append(1, "line", end=m.Ended("completed", b"1"))
        its.hand_back(1, "line")
        await settled()
        its.hand_back(1, "line")
        await settled()
        assert (its.batches(), its.lines()) == (2, ["line"])
        assert not its.ownership.returns.hold_up(ID)

    play(scene)


def test_what_ends_its_generation_is_not_put_and_its_lines_not_repeated(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.append(1, "line", new_inputs=b"{}")
        its.hand_back(1, "line")
        await settled()
        its.hand_back(1, "line")
        await settled()
        assert (its.batches(), its.inbox(), its.lines()) == (2, 0, ["line"])

    play(scene)


def test_what_could_not_be_recorded_is_put_without_the_lines_that_are_there(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.failing.add(JOURNAL_FILE)
        its.append(1, "line")
        await settled()
        its.failing.clear()
        its.hand_back(1, "line")
        await settled()
        assert (its.batches(), its.inbox(), its.lines()) == (1, 1, ["line"])

    play(scene)


def test_what_could_not_be_recorded_is_put_with_its_lines_if_these_failed(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.failing.add(LOGS_FILE)
        its.append(1, "line")
        its.hand_back(1, "line")
        await settled()
        assert (its.inbox(), its.lines()) == (0, [])
        its.failing.clear()
        await asyncio.sleep(1.5)
        assert (its.batches(), its.inbox(), its.lines()) == (1, 1, ["line"])

    play(scene)


def test_what_was_refused_unsubmitted_is_put_with_its_lines(play: Play) -> None:
    async def scene(its: Owning) -> None:
        paused = its.state.submit(Pause(execution_id=ID, at=START_MS))
        its.ownership.halt(its.state.owned[ID])
        its.append(1, "line")
        its.hand_back(1, "line")
        assert (await paused).done
        await settled()
        assert (its.batches(), its.inbox(), its.lines()) == (1, 1, ["line"])

    play(scene)


def test_of_an_ownership_that_is_over_the_journal_is_asked(play: Play) -> None:
    """As where a worker that hung answers again: another owns what it had."""

    async def scene(its: Owning) -> None:
        its.append(1, "recorded")
        await settled()
        its.ownership.disown(its.state.owned[ID])
        before, its.worker = its.worker, PlayedWorker()
        its.own()
        its.append(2, body=encode_batch(completed("/other"), []))
        await settled()
        its.hand_back(1, "recorded", by=before)
        its.hand_back(2, "not recorded", by=before)
        await settled()
        assert its.batches() == 3
        assert (its.inbox(), its.lines()) == (1, ["recorded", "not recorded"])
        assert len(its.sent(m.Deliver)) == 1

    play(scene)


# -- while the store fails -------------------------------------------------------------------------


def test_while_the_disk_is_full_an_outcome_is_put_again_and_arrives_once(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.failing |= DISK
        its.append(1, "line")
        await settled()
        its.hand_back(1, "line")
        its.release()
        await asyncio.sleep(10)
        assert (its.inbox(), its.lines()) == (0, [])
        its.failing.clear()
        await asyncio.sleep(10)
        assert (its.inbox(), its.lines()) == (1, ["line"])

    play(scene)


def test_after_a_failure_of_the_store_an_execution_is_loaded_after_a_while(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.failing.add(JOURNAL_FILE)
        its.append(1)
        await settled()
        assert its.sent(m.Refused)
        its.release()
        await asyncio.sleep(0.9)
        assert its.ready == []
        await asyncio.sleep(0.2)
        assert its.ready == [1.0]

    play(scene)


# -- loads -----------------------------------------------------------------------------------------


def test_an_execution_is_not_loaded_before_its_outcomes_are_in_the_inbox(play: Play) -> None:
    async def scene(its: Owning) -> None:
        returns = its.ownership.returns
        its.ownership.disown(its.state.owned[ID])
        its.failing.add(JOURNAL_FILE)
        its.hand_back(None, "one")
        await settled()
        its.failing.clear()
        its.hand_back(None, "two")
        await settled()
        assert (its.inbox(), its.lines()) == (1, ["one", "two"])
        assert returns.hold_up(ID)
        its.ready.clear()
        await asyncio.sleep(5)
        assert (its.inbox(), its.lines()) == (2, ["one", "two"])
        assert set(its.ready) == {1.0}
        assert not returns.hold_up(ID)

    play(scene)


@pytest.mark.parametrize("refused", ["ended", "another generation"])
def test_an_outcome_that_the_inbox_refuses_holds_up_no_longer(play: Play, refused: str) -> None:
    async def scene(its: Owning) -> None:
        owned = its.state.owned[ID]
        if refused == "ended":
            end = End(status=Status.CANCELLED, at=START_MS)
            await its.ownership.end_without_program(ID, end, None, 1)
        its.ownership.disown(owned)
        its.hand_back(None, "line", generation=0 if refused == "ended" else 7)
        assert its.ownership.returns.hold_up(ID)
        await settled()
        assert len(its.ready) == 1
        assert not its.ownership.returns.hold_up(ID)
        assert its.lines()[-1] == "line"

    play(scene)


def test_an_owner_hears_that_attempts_are_lost_after_what_was_handed_back(play: Play) -> None:
    async def scene(its: Owning) -> None:
        its.failing.add(JOURNAL_FILE)
        its.hand_back(None, "line")
        its.ownership.lose_attempts(ID, [(TASK, 1)])
        await settled()
        assert its.sent(m.AttemptsLost) == []
        its.failing.clear()
        await asyncio.sleep(2)
        kinds = [type(message) for message in its.worker.channel.sent]
        assert kinds[-2:] == [m.Deliver, m.AttemptsLost]

    play(scene)
