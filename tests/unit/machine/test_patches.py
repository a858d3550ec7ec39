from typing import Any

import pytest

from perdure.machine import program
from perdure.machine.machine import Machine
from perdure.model.exceptions import DisagreementError
from tests.unit.machine.harness import Played, run


def patched() -> bool:
    return program.machine().patched("faster")


async def before() -> Any:
    await run("first")
    await run("old")
    await run("last")


async def after() -> Any:
    await run("first")
    await run("new" if patched() else "old")
    await run("last")


async def without() -> Any:
    await run("first")
    await run("new")
    await run("last")


def open_of(machine: Machine) -> list[str]:
    positions = list(machine.open)
    machine.close()
    return positions


def test_a_new_execution_takes_the_new_way_and_records_it() -> None:
    played = Played(after)
    played.complete("/first")
    assert played.asks == ["RecordPatch /~patch:faster", "RunTask /new"]
    played.complete("/new")
    assert played.asks == ["RunTask /last"]


def test_one_that_passed_before_the_change_stays_on_the_old_way() -> None:
    played = Played(before)
    played.complete("/first")
    assert open_of(played.replayed(after)) == ["/old"]
    played.complete("/old")
    assert open_of(played.replayed(after)) == ["/last"]


def test_one_that_has_not_come_there_yet_takes_the_new_way() -> None:
    played = Played(before)
    played.deploy(after)
    played.complete("/first")
    assert played.asks == ["RecordPatch /~patch:faster", "RunTask /new"]


def test_the_first_answer_counts_for_the_rest_of_the_generation() -> None:
    async def asking_again() -> Any:
        await run("first")
        first = patched()
        await run("new" if first else "old")
        return [first, patched()]

    async def not_asking() -> Any:
        await run("first")
        await run("old")

    played = Played(not_asking)
    played.complete("/first")
    played.deploy(asking_again)
    played.complete("/old")
    assert played.result == [False, False]


def test_patches_that_were_recorded_are_asked_for_again() -> None:
    played = Played(after)
    played.complete("/first")
    with pytest.raises(DisagreementError, match="RecordPatch faster"):
        played.replayed(without)
