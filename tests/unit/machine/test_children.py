import json
from typing import Any

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import program
from perdure.model import failure as failures
from perdure.model.exceptions import ChildFailedError
from tests.unit.machine.harness import BOOM, START_MS, Played, raw

POSITION = "/child:other"


async def awaiting() -> Any:
    return json.loads(await program.run_child("other", "2", b'{"n":1}'))


async def starting() -> Any:
    return await program.start_child("other", None, b"{}")


def completed(result: Any) -> e.ChildCompleted:
    return e.ChildCompleted(
        time=START_MS, position=POSITION, execution_id="exec-1", result=raw(result)
    )


def test_a_child_is_started_and_its_result_awaited() -> None:
    played = Played(awaiting)
    command = played.last(c.StartChild)
    assert (command.workflow_id, command.version, command.wait) == ("other", "2", True)
    assert bytes(command.input) == b'{"n":1}'
    played.deliver(completed(5))
    assert played.result == 5


def test_a_child_that_fails_fails_where_it_was_awaited() -> None:
    played = Played(awaiting)
    played.deliver(e.ChildFailed(time=START_MS, position=POSITION, failure=BOOM))
    assert played.failure == BOOM.at(POSITION)


def test_a_child_that_somebody_cancelled_is_a_failure() -> None:
    async def careful() -> str:
        try:
            await awaiting()
        except ChildFailedError as error:
            return error.failure.type
        return "unreached"

    played = Played(careful)
    played.deliver(e.ChildCancelled(time=START_MS, position=POSITION, execution_id="exec-1"))
    assert played.result == failures.cancelled().type


def test_a_child_that_lives_on_its_own_is_answered_by_its_start() -> None:
    played = Played(starting)
    assert not played.last(c.StartChild).wait
    assert not played.deliver(completed(1))
    played.deliver(e.ChildStarted(time=START_MS, position=POSITION, execution_id="exec-1"))
    assert played.result == "exec-1"


def test_the_start_of_an_awaited_child_answers_nothing() -> None:
    played = Played(awaiting)
    started = e.ChildStarted(time=START_MS, position=POSITION, execution_id="exec-1")
    assert not played.deliver(started)


def test_a_child_that_cannot_be_started_is_a_failure() -> None:
    played = Played(starting)
    played.deliver(e.ChildFailed(time=START_MS, position=POSITION, failure=BOOM))
    assert played.failure == BOOM.at(POSITION)
