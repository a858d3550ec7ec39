"""The log as the engine writes and reads it (docs/journal.md, section 11)."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from perdure.model.execution import Level, LogRecord

TASK_LINE = -1
"""`batch` of a line that a task logged."""
STORY = -2
"""`batch` of a line of perdure's own; it is kept beyond the quota too."""


class NewLogRecord(msgspec.Struct, frozen=True, array_like=True):
    """A line to keep. The store gives it its `seq`.

    `batch` is the batch during whose step workflow code logged it, or TASK_LINE, or STORY;
    `fields` is a JSON object, or None.
    """

    execution_id: str
    timestamp: int
    level: Level
    task: str | None
    message: str
    fields: bytes | None = None
    batch: int = TASK_LINE


class Logs(Protocol):
    """Keeps the logs of executions, each with a gap-free `seq` from 1.

    Beyond an execution's quota one line says so, and only perdure's own are kept.
    """

    def write(self, records: Sequence[NewLogRecord]) -> int:
        """Take lines, in order; the ticket for `Journal.submit(after_logs=…)`.

        May be called on the engine's loop; it does not wait.
        """
        ...

    def failed(self, ticket: int) -> bool:
        """Whether the write with this ticket, if it is over, has failed: its lines are not kept."""
        ...

    @property
    def unwritten(self) -> int:
        """How many lines are not yet on disk."""
        ...

    def newest(self, execution_id: str, limit: int) -> Sequence[LogRecord]:
        """The newest lines, in order."""
        ...

    def page(self, execution_id: str, after_seq: int, limit: int) -> Sequence[LogRecord]:
        """Lines after `after_seq`, in order."""
        ...

    def of_batch(self, execution_id: str, batch: int) -> Sequence[str]:
        """Messages that workflow code logged in steps of `batch` or later, in order."""
        ...
