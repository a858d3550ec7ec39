"""Task runs as they are shown: from the story, with the values that their batches have.

Only the batches of one page are read whole. An execution that is paused has outcomes in its inbox
that are in no batch yet; they are shown all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from perdure.engine.outlines import outline_event
from perdure.engine.views import Attempt, ToldTask
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import Batch, decode_batch, decode_event
from perdure.model.exceptions import DisagreementError
from perdure.model.execution import TaskRun
from perdure.model.failure import Failure
from perdure.model.position import instance
from perdure.model.status import Status
from perdure.ports.journal import Journal, Row

_GAP = 16
"""Batches that nobody asked for are read along, up to so many, rather than reading twice."""

Values = tuple[msgspec.Raw | None, Failure | None]
"""Output and error."""


def ended_attempts(journal: Journal, row: Row) -> frozenset[Attempt]:
    """Attempts of a paused execution that have ended, with outcomes that wait in its inbox."""
    if row.status is not Status.PAUSED:
        return frozenset()
    events = map(outline_event, journal.outcomes(row.execution_id))
    return frozenset((event.position, event.attempt) for event in events)


def with_values(journal: Journal, row: Row, told: Sequence[ToldTask]) -> list[TaskRun] | None:
    """A page of tasks; None where their generation has ended meanwhile: look again."""
    wanted = {task.asked for task in told}
    wanted.update(task.answered for task in told if task.answered is not None)
    batches: dict[int, Batch | None] = {}
    for first, last in _ranges(sorted(wanted)):
        bodies = journal.batches(row.execution_id, first, last - first + 1)
        for seq, body in enumerate(bodies, first):
            if seq in wanted:
                batches[seq] = _decoded(body)
    now = journal.row(row.execution_id)
    if now is None or now.journal_start != row.journal_start:
        return None
    outcomes = _outcomes(journal, row)
    return [_shown(task, batches, outcomes) for task in told]


def result_of(bodies: Sequence[bytes]) -> msgspec.Raw | None:
    """The result in the last batch of an execution that has completed."""
    for body in bodies:
        batch = _decoded(body)
        last = batch.commands[-1] if batch is not None and batch.commands else None
        if isinstance(last, c.CompleteExecution):
            return last.result
    return None


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Numbers in order, as ranges from first to last without gaps of more than _GAP."""
    first = last = -1
    for number in numbers:
        if first >= 0 and number - last > _GAP:
            yield first, last
            first = number
        elif first < 0:
            first = number
        last = number
    if first >= 0:
        yield first, last


def _decoded(body: bytes) -> Batch | None:
    try:
        return decode_batch(body)
    except DisagreementError:
        return None


def _outcomes(journal: Journal, row: Row) -> Mapping[Attempt, e.AnyEvent]:
    outcomes: dict[Attempt, e.AnyEvent] = {}
    if row.status is Status.PAUSED:
        for body in journal.outcomes(row.execution_id):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                event = decode_event(body)
                if isinstance(event, e.TASK_OUTCOMES):
                    outcomes[event.position, event.attempt] = event
    return outcomes


def _shown(
    task: ToldTask, batches: Mapping[int, Batch | None], outcomes: Mapping[Attempt, e.AnyEvent]
) -> TaskRun:
    answered = batches.get(task.answered) if task.answered is not None else None
    output, error = _values(answered.event) if answered is not None else (None, None)
    run = TaskRun(
        position=task.position,
        name=task.name,
        kind=task.kind,
        status=task.status,
        attempt=task.attempt,
        started_at=task.started_at,
        completed_at=task.completed_at,
        input=_input(batches.get(task.asked), task.position),
        output=output,
        error=None if error is None else error.at(instance(task.position)),
    )
    outcome = outcomes.get((task.position, task.attempt))
    return run if outcome is None or task.status != "running" else _with_outcome(run, outcome)


def _with_outcome(run: TaskRun, event: e.AnyEvent) -> TaskRun:
    output, error = _values(event)
    status = "completed" if output is not None else "failed" if error is not None else "cancelled"
    return msgspec.structs.replace(
        run,
        status=status,
        completed_at=event.time,
        output=output,
        error=None if error is None else error.at(instance(run.position)),
    )


def _input(batch: Batch | None, position: str) -> msgspec.Raw | None:
    for command in batch.commands if batch is not None else ():
        if isinstance(command, c.RunTask | c.StartChild) and command.position == position:
            return command.input
    return None


def _values(event: e.AnyEvent) -> Values:
    if isinstance(event, e.TaskCompleted):
        return event.output, None
    if isinstance(event, e.ChildCompleted):
        return event.result, None
    if isinstance(event, e.TaskFailed | e.ChildFailed):
        return None, event.failure
    return None, None
