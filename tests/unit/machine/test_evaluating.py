"""Evaluations: asked for at positions of their own, answered once, and not made again on replay."""

import json
from typing import Any

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import program
from perdure.model import failure as failures
from perdure.model.exceptions import Cancelled, EvaluationFailedError
from perdure.model.position import is_internal
from tests.unit.machine.harness import START_MS, Played, raw


async def evaluated(expression: str) -> Any:
    """What an expression gives."""
    return json.loads(await program.evaluate(expression, b"1"))


def answer(played: Played, position: str, value: Any) -> None:
    """An evaluation has a value."""
    assert played.deliver(e.Evaluated(time=START_MS, position=position, output=raw(value)))


def positions(played: Played) -> list[str]:
    """Where evaluations have been asked for."""
    return [command.position for command in played.asked if isinstance(command, c.Evaluate)]


def test_each_evaluation_has_a_position_of_its_own() -> None:
    async def one_after_the_other() -> Any:
        return [await evaluated(".a"), await evaluated(".a")]

    played = Played(one_after_the_other)
    assert positions(played) == ["/~evaluate"]
    assert is_internal("/~evaluate@1")
    answer(played, "/~evaluate", 1)
    assert positions(played) == ["/~evaluate@1"]
    answer(played, "/~evaluate@1", 2)
    assert played.machine.ended


def test_branches_count_their_own() -> None:
    async def both() -> Any:
        return await program.gather([evaluated(".a"), evaluated(".b")])

    played = Played(both)
    assert positions(played) == ["/gather/0/~evaluate", "/gather/1/~evaluate"]
    answer(played, "/gather/1/~evaluate", 2)
    answer(played, "/gather/0/~evaluate", 1)
    (end,) = played.asked
    assert isinstance(end, c.CompleteExecution)
    assert bytes(end.result) == b"[1,2]"


def test_a_failed_evaluation_raises_where_it_was_asked_for() -> None:
    async def careful() -> Any:
        try:
            return await evaluated(".a")
        except EvaluationFailedError as error:
            return error.failure.detail

    played = Played(careful)
    failure = failures.expression("why")
    played.deliver(e.EvaluationFailed(time=START_MS, position="/~evaluate", failure=failure))
    (end,) = played.asked
    assert isinstance(end, c.CompleteExecution)
    assert bytes(end.result) == b'"why"'


def test_a_cancelled_program_goes_on_once_its_evaluation_is_answered() -> None:
    async def cleaning_up() -> Any:
        try:
            return await evaluated(".a")
        except Cancelled:
            return await evaluated(".b")

    played = Played(cleaning_up)
    played.deliver(e.CancelRequested(time=START_MS))
    assert positions(played) == []
    answer(played, "/~evaluate", 1)
    assert positions(played) == ["/~evaluate@1"]
