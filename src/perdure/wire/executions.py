"""Executions: what a list shows of them, and the whole."""

import msgspec

from perdure.model import execution as model
from perdure.model.failure import Failure
from perdure.model.status import Status
from perdure.wire.logs import LogRecord, log_record
from perdure.wire.times import Time, moment
from perdure.wire.values import Value


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of an execution."""

    execution_id: str
    workflow_id: str
    workflow_version: str
    status: Status
    created_at: Time
    started_at: Time | None
    completed_at: Time | None
    tags: dict[str, str]


class CurrentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that runs, or waits for its next attempt."""

    position: str
    name: str
    attempt: int
    started_at: Time


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution waits for: a timer, an event, a child, or the moment of its start.

    `until` is the moment of a timer or a start; `position` is empty for a start.
    """

    kind: str
    position: str
    since: Time
    name: str | None
    until: Time | None


class WrittenFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an execution or a task failed, or is held; every member is present."""

    type: str
    status: int
    title: str
    detail: str
    instance: str


class Whole(Head, frozen=True, kw_only=True):
    """All of an execution.

    `inputs` is an object; `result` is any JSON, and null until it has completed.
    `attempt` is the run number: 1, and one more for each operator's retry. `duration_ms` is how
    long it ran, or has been running so far; null where it never started.
    """

    inputs: Value
    result: Value
    error: WrittenFailure | None
    current_tasks: list[CurrentTask]
    waiting_for: list[Waiting]
    created_by: str | None
    attempt: int
    cancel_requested_at: Time | None
    paused_at: Time | None
    duration_ms: int | None
    logs: list[LogRecord]


class ExecutionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Executions in the order asked for; `next_cursor` is null on the last page.

    `total` is there where it was asked for: how many the list has, or at least has where
    `total_is_exact` is false.
    """

    executions: list[Head]
    next_cursor: str | None
    total: int | msgspec.UnsetType = msgspec.UNSET
    total_is_exact: bool | msgspec.UnsetType = msgspec.UNSET


def head(of: model.Head) -> Head:
    """An execution's head."""
    return Head(
        execution_id=of.execution_id,
        workflow_id=of.workflow_id,
        workflow_version=of.workflow_version,
        status=of.status,
        created_at=moment(of.created_at),
        started_at=moment(of.started_at),
        completed_at=moment(of.completed_at),
        tags=of.tags,
    )


def whole(of: model.Execution, now_ms: int) -> Whole:
    """All of an execution, as of `now_ms`."""
    known = of.head
    return Whole(
        execution_id=known.execution_id,
        workflow_id=known.workflow_id,
        workflow_version=known.workflow_version,
        status=known.status,
        created_at=moment(known.created_at),
        started_at=moment(known.started_at),
        completed_at=moment(known.completed_at),
        tags=known.tags,
        inputs=of.inputs,
        result=of.result,
        error=failure(of.error) if of.error else None,
        current_tasks=[
            CurrentTask(
                position=task.position,
                name=task.name,
                attempt=task.attempt,
                started_at=moment(task.started_at),
            )
            for task in of.current_tasks
        ],
        waiting_for=[
            Waiting(
                kind=wait.kind,
                position=wait.position,
                since=moment(wait.since),
                name=wait.name,
                until=moment(wait.until),
            )
            for wait in of.waiting_for
        ],
        created_by=of.created_by,
        attempt=of.attempt,
        cancel_requested_at=moment(of.cancel_requested_at),
        paused_at=moment(of.paused_at),
        duration_ms=_duration_ms(known, now_ms),
        logs=[log_record(record) for record in of.logs],
    )


def failure(of: Failure) -> WrittenFailure:
    """A failure, with the members that the record leaves out where they are empty."""
    return WrittenFailure(
        type=of.type, status=of.status, title=of.title, detail=of.detail, instance=of.instance
    )


def _duration_ms(known: model.Head, now_ms: int) -> int | None:
    if known.started_at is None:
        return None
    until = now_ms if known.completed_at is None else known.completed_at
    return max(0, until - known.started_at)
