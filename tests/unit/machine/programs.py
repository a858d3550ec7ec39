"""Programs made up by hypothesis, and courses of events for them."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import program
from perdure.model import failure as failures
from perdure.model.exceptions import Cancelled, FailedError
from tests.unit.machine.harness import BOOM, Played, raw, run

EVENT_NAMES = ("red", "blue")


class Wrong(Exception):
    """Raised by made-up programs."""


@dataclass(frozen=True)
class Step:
    """One thing that a program does; `kind` says which, the rest is of use to some."""

    kind: str
    name: str = ""
    number: int = 0
    flag: bool = False
    parts: tuple["Step", ...] = ()


async def perform(step: Step) -> Any:
    """Do one step. Everything that it finds out is in its result."""
    return await _PERFORM[step.kind](step)


async def _task(step: Step) -> Any:
    return await run(step.name, retries=step.number, total_ms=5_000 if step.flag else None)


async def _sleep(step: Step) -> Any:
    await program.sleep(step.number * 1_000)
    return program.machine().time


async def _event(step: Step) -> Any:
    data = await program.wait_for_event(step.name, 3_000 if step.flag else None)
    return data.decode()


async def _child(step: Step) -> Any:
    if step.flag:
        return await program.start_child(step.name, None, b"{}")
    return (await program.run_child(step.name, None, b"{}")).decode()


async def _draw(step: Step) -> Any:
    return program.machine().randomness.bits64() % 1_000


async def _patch(step: Step) -> Any:
    return await run("after" if program.machine().patched(step.name) else "before")


async def _wrong(step: Step) -> Any:
    raise Wrong(step.name)


async def _sequence(step: Step) -> Any:
    return [await perform(part) for part in step.parts]


async def _gather(step: Step) -> Any:
    found = await program.gather(
        [perform(part) for part in step.parts], return_exceptions=step.flag
    )
    return [str(item) if isinstance(item, BaseException) else item for item in found]


async def _caught(step: Step) -> Any:
    body, instead = step.parts
    try:
        return await perform(body)
    except (FailedError, Wrong) as error:
        return [str(error), await perform(instead)]


async def _cleaned_up(step: Step) -> Any:
    body, cleanup = step.parts
    try:
        return await perform(body)
    finally:
        await perform(cleanup)


async def _deaf(step: Step) -> Any:
    try:
        return await perform(step.parts[0])
    except Cancelled:
        return "deaf"


_PERFORM: dict[str, Callable[[Step], Coroutine[Any, Any, Any]]] = {
    "task": _task,
    "sleep": _sleep,
    "event": _event,
    "child": _child,
    "draw": _draw,
    "patch": _patch,
    "wrong": _wrong,
    "sequence": _sequence,
    "gather": _gather,
    "caught": _caught,
    "cleaned_up": _cleaned_up,
    "deaf": _deaf,
}

_names = st.sampled_from(("a", "b"))
_leaves = st.one_of(
    st.builds(
        Step, kind=st.just("task"), name=_names, number=st.integers(0, 2), flag=st.booleans()
    ),
    st.builds(Step, kind=st.just("sleep"), number=st.integers(0, 3)),
    st.builds(Step, kind=st.just("event"), name=st.sampled_from(EVENT_NAMES), flag=st.booleans()),
    st.builds(Step, kind=st.just("child"), name=_names, flag=st.booleans()),
    st.builds(Step, kind=st.just("draw")),
    st.builds(Step, kind=st.sampled_from(("patch", "wrong")), name=_names),
)


def _nested(steps: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    some = st.lists(steps, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Step, kind=st.just("sequence"), parts=some),
        st.builds(Step, kind=st.just("gather"), parts=some, flag=st.booleans()),
        st.builds(
            Step, kind=st.sampled_from(("caught", "cleaned_up")), parts=st.tuples(steps, steps)
        ),
        st.builds(Step, kind=st.just("deaf"), parts=st.tuples(steps)),
    )


programs: st.SearchStrategy[Step] = st.recursive(_leaves, _nested, max_leaves=12)
courses: st.SearchStrategy[list[int]] = st.lists(st.integers(0, 10_000), max_size=40)
"""Choices, from which `next_event` makes events that fit what is open."""


def play(step: Step, course: Sequence[int]) -> Played:
    """Play a program along a course, to the end of either."""
    timeout_ms = 20_000 if course and course[0] % 5 == 0 else None
    played = Played(lambda: perform(step), timeout_ms=timeout_ms, check_replays=False)
    for choice in course:
        if played.machine.ended:
            break
        played.deliver(next_event(played, choice))
    return played


def next_event(played: Played, choice: int) -> e.AnyEvent:
    """An event from outside now and then, else the answer to something that is open."""
    choice, dice = divmod(choice, 16)
    commands = [entry.command for entry in played.machine.open.values()]
    if dice == 0:
        return e.CancelRequested(time=played.time)
    if dice <= 2 or not commands:
        name = EVENT_NAMES[dice % 2]
        return e.EventReceived(time=played.time, name=name, data=raw(choice % 10))
    choice, index = divmod(choice, len(commands))
    return _answer(commands[index], choice % 4, played)


def _answer(command: c.AnyCommand, way: int, played: Played) -> e.AnyEvent:
    time, position = played.time, command.position
    if isinstance(command, c.RunTask):
        return _outcome(command, way, time)
    if isinstance(command, c.StartTimer):
        played.time = max(time, command.due_ms)
        return e.TimerFired(time=played.time, position=position)
    if isinstance(command, c.StartChild):
        if way == 0:
            return e.ChildFailed(time=time, position=position, failure=BOOM)
        if not command.wait:
            return e.ChildStarted(time=time, position=position, execution_id="exec-1")
        if way == 1:
            return e.ChildCancelled(time=time, position=position, execution_id="exec-1")
        return e.ChildCompleted(
            time=time, position=position, execution_id="exec-1", result=raw(way)
        )
    assert isinstance(command, c.WaitForEvent)
    return e.EventReceived(time=time, name=command.name, data=raw(way))


def _outcome(command: c.RunTask, way: int, time: int) -> e.AnyEvent:
    position, attempt = command.position, command.attempt
    if way == 0:
        return e.TaskFailed(time=time, position=position, attempt=attempt, failure=BOOM)
    if way == 1:
        late = failures.timeout("an attempt took too long")
        return e.TaskFailed(
            time=time, position=position, attempt=attempt, failure=late, retryable=False
        )
    return e.TaskCompleted(time=time, position=position, attempt=attempt, output=raw(way))
