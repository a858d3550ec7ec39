"""Task runs."""

import msgspec
from msgspec import UNSET, UnsetType

from perdure.model import execution as model
from perdure.wire.executions import WrittenFailure, failure
from perdure.wire.times import Time, moment
from perdure.wire.values import Value


class TaskRun(msgspec.Struct, frozen=True, kw_only=True):
    """A task of an execution. `input`, `output` and `error` are left out where there is none."""

    position: str
    name: str
    kind: str
    status: model.TaskStatus
    attempt: int
    started_at: Time
    completed_at: Time | None
    input: Value = UNSET
    output: Value = UNSET
    error: WrittenFailure | UnsetType = UNSET


class TasksPage(msgspec.Struct, frozen=True, kw_only=True):
    """Task runs in start order; `next_cursor` is null on the last page."""

    tasks: list[TaskRun]
    next_cursor: str | None


def task_run(of: model.TaskRun) -> TaskRun:
    """A task run."""
    return TaskRun(
        position=of.position,
        name=of.name,
        kind=of.kind,
        status=of.status,
        attempt=of.attempt,
        started_at=moment(of.started_at),
        completed_at=moment(of.completed_at),
        input=UNSET if of.input is None else of.input,
        output=UNSET if of.output is None else of.output,
        error=failure(of.error) if of.error else UNSET,
    )
