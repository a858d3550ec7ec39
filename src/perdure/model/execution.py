"""Executions and what is shown of them. Times are milliseconds since 1970, values are JSON."""

from typing import Literal

import msgspec

from perdure.model.failure import Failure
from perdure.model.status import Status

Level = Literal["INFO", "WARNING", "ERROR"]
TaskKind = Literal["task", "child"]
TaskStatus = Literal["running", "retrying", "completed", "failed", "cancelled"]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of an execution."""

    execution_id: str
    workflow_id: str
    workflow_version: str
    status: Status
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    tags: dict[str, str] = {}


class CurrentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that runs, or waits for its next attempt."""

    position: str
    name: str
    attempt: int
    started_at: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution waits for: a moment, an event, a child, or the moment of its start.

    The position of a start is empty.
    """

    kind: Literal["timer", "event", "child", "start"]
    position: str
    since: int
    name: str | None = None
    until: int | None = None


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an execution's log. `seq` has no gaps."""

    seq: int
    timestamp: int
    level: Level
    task: str | None
    message: str
    fields: msgspec.Raw | None = None


class TaskRun(msgspec.Struct, frozen=True, kw_only=True):
    """A task of an execution, as its journal tells it."""

    position: str
    name: str
    kind: TaskKind
    status: TaskStatus
    attempt: int
    started_at: int
    completed_at: int | None = None
    input: msgspec.Raw | None = None
    output: msgspec.Raw | None = None
    error: Failure | None = None


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What changes whenever what is shown of an execution does, but for how long it has run.

    `batches` is how many were ever recorded; `inbox_seq` counts what came in while it is paused, 0
    otherwise; `timers_ms` is the sum of its timers' moments, which the end of a pause moves;
    `last_line` is the `seq` of the newest log line, 0 where none is shown.
    """

    status: Status
    run: int
    batches: int
    inbox_seq: int = 0
    start_at: int | None = None
    completed_at: int | None = None
    cancel_requested_at: int | None = None
    paused_at: int | None = None
    timers_ms: int = 0
    last_line: int = 0


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of an execution. It is at least as new as its `revision`."""

    head: Head
    inputs: msgspec.Raw
    result: msgspec.Raw | None = None
    error: Failure | None = None
    current_tasks: tuple[CurrentTask, ...] = ()
    waiting_for: tuple[Waiting, ...] = ()
    created_by: str | None = None
    attempt: int = 1
    cancel_requested_at: int | None = None
    paused_at: int | None = None
    logs: tuple[LogRecord, ...] = ()
    revision: Revision | None = None
