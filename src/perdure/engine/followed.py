"""Executions that began here and have not left their first worker: known without a read.

Whoever waits for such an execution is answered from memory. It is given up (None in `Owned`) as
soon as something happens to it that this does not follow: then what is shown is read.
"""

from collections.abc import Sequence

import msgspec

from perdure.link.messages import Ended
from perdure.model.execution import Execution, Head, LogRecord, Revision
from perdure.model.status import Status
from perdure.ports.journal import CreateExecution
from perdure.ports.logs import NewLogRecord

LINES = 100
_BYTES = 16_384


class Followed:
    """What is known of an execution since its creation."""

    __slots__ = ("_bytes", "_create", "_lines")

    def __init__(self, create: CreateExecution) -> None:
        self._create = create
        self._lines: list[NewLogRecord] = []
        self._bytes = 0

    def logged(self, records: Sequence[NewLogRecord]) -> bool:
        """Take lines in the order in which they are stored; False if these are too many."""
        self._lines += records
        self._bytes += sum(len(record.message) for record in records)
        return len(self._lines) <= LINES and self._bytes <= _BYTES

    def ended(self, ended: Ended, at: int, batches: int) -> Execution:
        """The whole execution, now that it has ended after so many batches."""
        create = self._create
        return Execution(
            head=Head(
                execution_id=create.execution_id,
                workflow_id=create.workflow_id,
                workflow_version=create.workflow_version,
                status=Status(ended.status),
                created_at=create.created_at,
                started_at=create.created_at,
                completed_at=at,
                tags=create.tags,
            ),
            inputs=msgspec.Raw(create.inputs),
            result=None if ended.result is None else msgspec.Raw(ended.result),
            error=ended.failure,
            created_by=create.created_by,
            logs=tuple(
                LogRecord(
                    seq=number,
                    timestamp=line.timestamp,
                    level=line.level,
                    task=line.task,
                    message=line.message,
                    fields=None if line.fields is None else msgspec.Raw(line.fields),
                )
                for number, line in enumerate(self._lines, 1)
            ),
            revision=Revision(
                status=Status(ended.status),
                run=1,
                batches=batches,
                completed_at=at,
                last_line=len(self._lines),
            ),
        )
