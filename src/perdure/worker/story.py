"""perdure's own lines in an execution's log: how it began, what went wrong, how it ended.

Few by intention: one at the start and one at the end of a plain run.
"""

from collections.abc import Sequence
from typing import Any

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.machine import CLEANUP_POSITION
from perdure.model import durations
from perdure.model import position as positions
from perdure.model.execution import Level
from perdure.ports.logs import STORY, NewLogRecord
from perdure.worker.outcomes import Ended
from perdure.worker.records import bounded, encoded_fields


def line(
    execution_id: str,
    timestamp: int,
    message: str,
    *,
    level: Level = "INFO",
    task: str | None = None,
    position: str | None = None,
    fields: dict[str, Any] | None = None,
) -> NewLogRecord:
    """A line of perdure's own."""
    encoded = encoded_fields(fields) if fields else None
    return NewLogRecord(
        execution_id, timestamp, level, task, bounded(message), encoded, STORY, position
    )


def of_start(
    execution_id: str, now_ms: int, event: e.ExecutionStarted, *, continued: bool
) -> NewLogRecord:
    """How it began."""
    message = "continued as new" if continued else "started"
    if event.run > 1 and not continued:
        message = f"started again, run {event.run}"
    return line(execution_id, now_ms, message)


def of_end(
    execution_id: str, now_ms: int, event: e.AnyEvent, end: c.AnyCommand, took_ms: int | None
) -> NewLogRecord:
    """How it ended with `event`, after `took_ms` if that is known."""
    cut_off = isinstance(event, e.TimerFired) and event.position == CLEANUP_POSITION
    how = "; its cleanup took too long and was cut off" if cut_off else ""
    if isinstance(end, c.FailExecution):
        return line(execution_id, now_ms, f"failed: {end.failure}{how}", level="ERROR")
    message = "completed" if isinstance(end, c.CompleteExecution) else "cancelled"
    if took_ms is not None:
        message = f"{message} in {durations.text(took_ms)}"
    return line(execution_id, now_ms, message + how, level="WARNING" if cut_off else "INFO")


def of_attempt(
    execution_id: str,
    now_ms: int,
    event: e.AnyEvent,
    name: str,
    ended: Ended | None,
    commands: Sequence[c.AnyCommand] = (),
    *,
    told: bool = False,
) -> NewLogRecord | None:
    """What went wrong with an attempt, and what is done about it; None where all is well.

    Where the first was `told` already, as the outcome was handed back, the second remains.
    """
    how = f"; {ended.how}" if ended is not None and ended.how else ""
    if isinstance(event, e.TaskCancelled):
        if not how:  # nothing was stopped, or it was told when the outcome was handed back
            return None
        level: Level = "INFO" if how == "; it stopped" else "WARNING"
        text = f"{name} was cancelled{how}"
        return line(execution_id, now_ms, text, level=level, task=name, position=event.position)
    if not isinstance(event, e.TaskFailed):
        return None
    message = f"attempt {event.attempt} of {name} failed: {event.failure}{how}"
    follows = _next_attempt(event, commands)
    if told:
        text = f"attempt {event.attempt} of {name} failed{follows}"
        if not follows:
            return None
        return line(execution_id, now_ms, text, task=name, position=event.position)
    fields = None
    if ended is not None and ended.traceback:
        fields = {"traceback": ended.traceback}
    return line(
        execution_id,
        now_ms,
        message + follows,
        level="WARNING" if follows else "ERROR",
        task=name,
        position=event.position,
        fields=fields,
    )


def of_retries(
    execution_id: str, now_ms: int, event: e.AnyEvent, commands: Sequence[c.AnyCommand]
) -> list[NewLogRecord]:
    """Which lists of tasks of a document (`try`) wait to be tried again.

    The retries of a task of its own are told with the attempt that failed.
    """
    lines = []
    for command in commands:
        if isinstance(command, c.StartTimer) and command.purpose == "retry":
            task, _, retry = command.position.rpartition("/~retry@")
            if task and task != event.position:
                name = positions.name(task)
                wait = durations.text(command.due_ms - event.time)
                text = f"{name} is tried again in {wait}, retry {retry}"
                lines.append(line(execution_id, now_ms, text, task=name, position=task))
    return lines


def _next_attempt(event: e.TaskFailed, commands: Sequence[c.AnyCommand]) -> str:
    for command in commands:
        if isinstance(command, c.StartTimer) and command.purpose == "retry":
            if command.position.startswith(f"{event.position}/~retry"):
                return f"; next attempt in {durations.text(command.due_ms - event.time)}"
        elif isinstance(command, c.RunTask) and command.position == event.position:
            return "; next attempt now"
    return ""
