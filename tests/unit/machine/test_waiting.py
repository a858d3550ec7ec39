import json
from typing import Any

import pytest

from perdure.machine import commands as c
from perdure.machine import program
from perdure.model.exceptions import Continued, WaitTimedOutError
from tests.unit.machine.harness import START_MS, Played, raw, run


async def wait(name: str, timeout_ms: int | None = None) -> Any:
    return json.loads(await program.wait_for_event(name, timeout_ms))


async def one_event() -> Any:
    return await wait("paid")


def test_a_wait_is_answered_by_the_next_event_of_its_name() -> None:
    played = Played(one_event)
    assert played.asks == ["WaitForEvent /event:paid"]
    assert played.open == ["/event:paid"]
    assert played.send("other", 0)
    assert played.asked == []
    played.send("paid", {"by": "card"})
    assert played.result == {"by": "card"}


def test_events_that_come_before_the_wait_are_kept_in_order() -> None:
    async def late() -> Any:
        await run("toil")
        return [await wait("paid"), await wait("paid"), await wait("paid")]

    played = Played(late)
    for number in (1, 2):
        played.send("paid", number)
        assert played.asked == []
    played.complete("/toil")
    assert played.asks == [
        "WaitForEvent /event:paid",
        "WaitForEvent /event:paid@1",
        "WaitForEvent /event:paid@2",
    ]
    assert played.open == ["/event:paid@2"]
    played.send("paid", 3)
    assert played.result == [1, 2, 3]


def test_whoever_waits_longest_is_answered_first() -> None:
    async def several() -> Any:
        return await program.gather([wait("paid"), wait("paid")])

    played = Played(several)
    played.send("paid", 1)
    assert played.open == ["/gather/1/event:paid"]
    played.send("paid", 2)
    assert played.result == [1, 2]


def test_a_wait_that_is_given_up_takes_no_event() -> None:
    async def giving_up() -> Any:
        try:
            await wait("paid", 1_000)
        except WaitTimedOutError as error:
            return [str(error), await wait("paid")]

    played = Played(giving_up)
    assert played.asks == ["StartTimer /event:paid/~timeout", "WaitForEvent /event:paid"]
    played.fire("/event:paid/~timeout")
    assert played.asks == ["StopWaiting /event:paid", "WaitForEvent /event:paid@1"]
    played.send("paid", 1)
    assert played.result == ["Timed out: event paid did not come within 1s", 1]


def test_an_event_in_time_takes_the_deadline_back() -> None:
    async def limited() -> Any:
        return await wait("paid", 1_000)

    played = Played(limited)
    played.send("paid", 1)
    assert played.asks == ["CancelTimer /event:paid/~timeout", "CompleteExecution"]


def test_a_wait_that_nobody_answers_in_time_fails_where_it_stands() -> None:
    async def limited() -> Any:
        return await wait("paid", 1_000)

    played = Played(limited)
    played.fire("/event:paid/~timeout")
    assert played.failure.instance == "/event:paid"


def test_an_early_event_needs_no_deadline() -> None:
    async def late() -> Any:
        await run("toil")
        return await wait("paid", 1_000)

    played = Played(late)
    played.send("paid", 1)
    played.complete("/toil")
    assert played.asks == [
        "StartTimer /event:paid/~timeout",
        "WaitForEvent /event:paid",
        "CancelTimer /event:paid/~timeout",
        "CompleteExecution",
    ]
    assert played.result == 1


# -- continuing as new -------------------------------------------------------------------------


def test_events_that_nobody_awaited_go_on_to_the_next_generation() -> None:
    played = Played(leaving)
    for name, data in (("b", 1), ("a", 2), ("b", 3)):
        played.send(name, data)
    played.complete("/toil")
    command = played.last(c.ContinueAsNew)
    assert bytes(command.input) == b'{"round":2}'
    carried = [(event.name, json.loads(bytes(event.data))) for event in command.carried]
    assert carried == [("b", 1), ("b", 3), ("a", 2)]


def test_what_is_open_is_withdrawn_before_the_next_generation() -> None:
    async def leaving_in_the_middle() -> Any:
        await program.gather([wait("paid", 10), run("slow"), leaving()])

    played = Played(leaving_in_the_middle, timeout_ms=60_000)
    played.complete("/gather/2/toil")
    assert played.asks == [
        "StopWaiting /gather/0/event:paid",
        "CancelTask /gather/1/slow",
        "CancelTimer /gather/0/event:paid/~timeout",
    ]
    played.stopped("/gather/1/slow")
    assert played.asks == ["CancelTimer /~timeout", "ContinueAsNew"]


def test_carried_events_are_the_first_to_be_taken() -> None:
    async def both() -> Any:
        return [await wait("paid"), await wait("paid")]

    carried = (c.Carried(name="paid", data=raw(1)),)
    played = Played(both, carried=carried)
    assert played.open == ["/event:paid@1"]
    played.send("paid", 2)
    assert played.result == [1, 2]


async def leaving() -> None:
    await run("toil")
    raise Continued(b'{"round":2}')


@pytest.mark.parametrize("due_ms", [START_MS - 5, START_MS])
def test_a_moment_that_has_passed_is_a_timer_that_is_due(due_ms: int) -> None:
    async def late() -> None:
        await program.sleep_until(due_ms)

    played = Played(late)
    assert played.last(c.StartTimer).due_ms == due_ms
    played.fire("/sleep_until")
    assert played.machine.ended
