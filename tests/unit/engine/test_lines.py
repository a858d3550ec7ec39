"""Lines that attempts flush early are kept where their write fails, in order and in bounds."""

import asyncio
from pathlib import Path

import pytest

from perdure.engine import lines as module
from perdure.link import messages as m
from perdure.model.status import Status
from perdure.ports.logs import NewLogRecord
from perdure.store.sqlite.store import LOGS_FILE
from tests.support.virtual_time import run_virtually
from tests.unit.engine.owning import ID, Owning, owning, settled, told


def early(its: Owning, *lines: str) -> None:
    its.state.lines.write_early(told(*lines))


def test_lines_that_could_not_be_written_are_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with owning(tmp_path) as its:
            its.failing.add(LOGS_FILE)
            early(its, "one")
            early(its, "two")
            await settled()
            early(its, "three")
            await asyncio.sleep(5)
            assert its.lines() == []
            early(its, "four")
            its.failing.clear()
            early(its, "five")
            await asyncio.sleep(1)
            assert its.lines() == ["one", "two", "three", "four", "five"]
            await asyncio.sleep(5)
            assert len(its.lines()) == 5

    run_virtually(run())


def test_they_go_before_the_next_lines_of_their_execution(tmp_path: Path) -> None:
    async def run() -> None:
        async with owning(tmp_path) as its:
            its.failing.add(LOGS_FILE)
            early(its, "early")
            await settled()
            its.failing.clear()
            its.append(1, "with the outcome")
            await settled()
            assert (its.batches(), its.lines()) == (2, ["early", "with the outcome"])

    run_virtually(run())


def test_an_outcome_without_lines_waits_for_them_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with owning(tmp_path) as its:
            its.failing.add(LOGS_FILE)
            early(its, "early")
            its.append(1, end=m.Ended("completed", b"1"))
            await settled()
            row = its.store.journal.row(ID)
            assert row is not None
            assert (its.batches(), row.status) == (1, Status.RUNNING)
            its.failing.clear()
            its.hand_back(1)
            await settled()
            assert (its.inbox(), its.lines()) == (1, ["early"])

    run_virtually(run())


def test_what_comes_while_they_fail_does_not_overtake_them(tmp_path: Path) -> None:
    """The write has failed, the engine has not heard of it yet, and the disk is well again."""

    async def run() -> None:
        async with owning(tmp_path) as its:
            its.failing.add(LOGS_FILE)
            early(its, "early")
            its.store.logs.wait(10**9)
            its.failing.clear()
            its.append(1, "with the outcome")
            early(its, "of another task")
            await settled()
            assert (its.batches(), its.lines()) == (1, [])
            its.hand_back(1, "with the outcome")
            await asyncio.sleep(2)
            assert its.inbox() == 1
            assert its.lines() == ["early", "of another task", "with the outcome"]

    run_virtually(run())


def test_lines_that_are_at_fault_themselves_hold_up_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with owning(tmp_path) as its:
            bad = [NewLogRecord("nonsense", 1, "INFO", None, "of nobody")]
            its.state.lines.write_early([*bad, *told("early")])
            its.append(1, "with the outcome")
            await asyncio.sleep(3)
            assert (its.batches(), its.lines()) == (2, ["early", "with the outcome"])
            assert not its.state.lines._kept
            assert not its.state.lines._under_way

    run_virtually(run())


def test_beyond_the_bound_the_oldest_are_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 3_000)

    async def run() -> None:
        async with owning(tmp_path) as its:
            its.failing.add(LOGS_FILE)
            for number in range(20):
                early(its, str(number))
                await asyncio.sleep(0.3)
            its.failing.clear()
            await asyncio.sleep(1.5)
            first, *others = its.lines()
            assert first == f"{20 - len(others)} lines were dropped here: they could not be written"
            assert others == [str(number) for number in range(20 - len(others), 20)]
            assert len(others) > 5
            assert its.state.lines._kept_bytes == 0

    run_virtually(run())
