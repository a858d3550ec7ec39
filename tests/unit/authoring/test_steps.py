from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from perdure import (
    EncodingError,
    UsageError,
    WaitTimedOutError,
    continue_as_new,
    current_task,
    gather,
    now,
    patched,
    random,
    run_workflow,
    sleep,
    sleep_until,
    start_workflow,
    uuid4,
    wait_for_event,
)
from perdure.machine import commands as c
from perdure.machine import events as e
from tests.unit.machine.harness import START_MS, Played, raw, run

START = datetime.fromtimestamp(START_MS / 1000, UTC)


def test_sleeping_is_a_timer() -> None:
    async def sleepy() -> bool:
        before = now()
        await sleep("1h30m")
        await sleep(timedelta(seconds=1))
        return now() - before == timedelta(seconds=5_401)

    played = Played(sleepy)
    assert played.last(c.StartTimer).due_ms == START_MS + 5_400_000
    played.fire("/sleep")
    played.fire("/sleep@1")
    assert played.result is True


@pytest.mark.parametrize(
    ("moment", "due_ms"),
    [
        (START, START_MS),
        (START + timedelta(microseconds=1), START_MS + 1),
        (START.astimezone(timezone(timedelta(hours=2))) + timedelta(days=1), START_MS + 86_400_000),
    ],
)
def test_sleeping_until_a_moment_is_a_timer_that_no_pause_moves(
    moment: datetime, due_ms: int
) -> None:
    async def sleepy() -> None:
        await sleep_until(moment)

    command = Played(sleepy).last(c.StartTimer)
    assert (command.due_ms, command.absolute) == (due_ms, True)


def refusals(*calls: Callable[[], Any]) -> list[str]:
    async def calling() -> list[str]:
        said = []
        for call in calls:
            try:
                await call()
            except (TypeError, ValueError, EncodingError) as error:
                said.append(f"{type(error).__name__}: {error}")
        return said

    result: list[str] = Played(calling).result
    return result


def test_what_is_no_time_is_refused_at_the_call() -> None:
    naive = datetime(2026, 2, 23)  # noqa: DTZ001
    bare, text, moment = refusals(
        lambda: sleep(5),  # type: ignore[arg-type]
        lambda: sleep("soon"),
        lambda: sleep_until(naive),
    )
    assert bare.startswith("TypeError: 5 has no unit")
    assert text.startswith("ValueError: 'soon' is no duration")
    assert moment.startswith("ValueError: 2026-02-23 00:00:00 has no time zone")


# -- events ------------------------------------------------------------------------------------


def test_the_data_of_an_event_comes_in_the_type_asked_for() -> None:
    async def waiting() -> list[Any]:
        day = await wait_for_event("day", type=datetime)
        return [day.year, await wait_for_event("any")]

    played = Played(waiting)
    played.send("day", "2026-02-23T00:00:00Z")
    played.send("any", {"a": 1})
    assert played.result == [2026, {"a": 1}]


def test_data_of_another_type_is_an_error_that_can_be_caught() -> None:
    async def waiting() -> int:
        while True:
            try:
                return await wait_for_event("number", type=int)
            except EncodingError:
                continue

    played = Played(waiting)
    played.send("number", "x")
    assert played.open == ["/event:number@1"]
    played.send("number", 7)
    assert played.result == 7


def test_waiting_can_be_limited() -> None:
    async def waiting() -> str:
        try:
            await wait_for_event("paid", timeout="1m")
        except WaitTimedOutError as error:
            return error.failure.instance
        return "unreached"

    played = Played(waiting)
    played.fire("/event:paid/~timeout")
    assert played.result == "/event:paid"


# -- other workflows ---------------------------------------------------------------------------


def test_workflows_can_be_run_and_started_by_id() -> None:
    async def both() -> Any:
        result = await run_workflow("other", {"n": 1})
        handle = await start_workflow("another", {}, version="2")
        return [result, handle.execution_id]

    played = Played(both)
    command = played.last(c.StartChild)
    assert (command.workflow_id, command.version, command.wait) == ("other", None, True)
    assert bytes(command.input) == b'{"n":1}'
    played.deliver(
        e.ChildCompleted(
            time=START_MS, position="/child:other", execution_id="exec-1", result=raw([1])
        )
    )
    command = played.last(c.StartChild)
    assert (command.workflow_id, command.version, command.wait) == ("another", "2", False)
    played.deliver(e.ChildStarted(time=START_MS, position="/child:another", execution_id="exec-2"))
    assert played.result == [[1], "exec-2"]


def test_inputs_without_json_are_refused_at_the_call() -> None:
    (said,) = refusals(lambda: run_workflow("other", {"n": object()}))
    assert said.startswith("EncodingError: the inputs of workflow other cannot be stored")


# -- what costs no command ---------------------------------------------------------------------


def test_time_and_chance_are_those_of_the_machine() -> None:
    async def asking() -> list[Any]:
        return [now().isoformat(), random(), str(uuid4())]

    result = Played(asking).result
    assert result == Played(asking).result
    assert result[0] == START.isoformat()
    assert 0 <= result[1] < 1


def test_patched_is_true_in_new_executions() -> None:
    async def asking() -> bool:
        return patched("faster")

    assert Played(asking).asks == ["RecordPatch /~patch:faster", "CompleteExecution"]


def test_continuing_as_new_leaves_with_the_inputs() -> None:
    async def leaving() -> None:
        await run("work")
        continue_as_new(number=2)

    played = Played(leaving)
    played.complete("/work")
    assert bytes(played.last(c.ContinueAsNew).input) == b'{"number":2}'


# -- outside of workflows ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sleep("1s"), "asyncio.sleep"),
        (lambda: sleep_until(START), "asyncio.sleep"),
        (lambda: wait_for_event("e"), "over HTTP"),
        (lambda: run_workflow("w", {}), "/api/workflows/w/execute"),
        (lambda: start_workflow("w", {}), "/api/workflows/w/execute"),
        (now, "datetime.now"),
        (random, "the module random"),
        (uuid4, "the module uuid"),
        (lambda: patched("p"), "workflows"),
        (continue_as_new, "call the function again"),
        (gather, "asyncio.gather"),
        (current_task, "@task"),
    ],
)
def test_elsewhere_each_says_what_to_do(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    assert says in str(caught.value)
