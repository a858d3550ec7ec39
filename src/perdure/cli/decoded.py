"""What a server tells of executions as values of the model, so that one display serves both.

Only what is displayed is taken over.
"""

from datetime import datetime
from typing import Any, cast, overload

import msgspec

from perdure.cli.printing import printable
from perdure.model import execution as model
from perdure.model.failure import Failure
from perdure.wire.executions import Whole
from perdure.wire.logs import LogRecord


def log_record(of: LogRecord) -> model.LogRecord:
    """A log record, without its fields."""
    return model.LogRecord(
        seq=of.seq,
        timestamp=_ms(of.timestamp),
        level=of.level,
        task=of.task,
        message=of.message,
    )


def execution(of: Whole) -> model.Execution:
    """An execution: its head, what it does, and its error."""
    return model.Execution(
        head=model.Head(
            execution_id=printable(of.execution_id),
            workflow_id=of.workflow_id,
            workflow_version=of.workflow_version,
            status=of.status,
            created_at=_ms(of.created_at),
            started_at=_ms(of.started_at),
            completed_at=_ms(of.completed_at),
        ),
        inputs=msgspec.Raw(b"{}"),
        error=None if of.error is None else Failure(**msgspec.structs.asdict(of.error)),
        current_tasks=tuple(
            model.CurrentTask(
                position=task.position,
                name=task.name,
                attempt=task.attempt,
                started_at=_ms(task.started_at),
            )
            for task in of.current_tasks
        ),
        waiting_for=tuple(
            # A newer server may know more kinds than the model here.
            model.Waiting(
                kind=cast(Any, wait.kind),
                position=wait.position,
                since=_ms(wait.since),
                name=wait.name,
                until=_ms(wait.until),
            )
            for wait in of.waiting_for
        ),
    )


@overload
def _ms(moment: str) -> int: ...


@overload
def _ms(moment: str | None) -> int | None: ...


def _ms(moment: str | None) -> int | None:
    if moment is None:
        return None
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
