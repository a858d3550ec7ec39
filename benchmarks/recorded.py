"""What perdure asks SQLite to do for an execution, taken from a data folder.

The rows of an execution that a server has run are read, and turned into the changes that they came
from. Given to the store's own code, these changes ask SQLite for what they asked it for then.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import msgspec

from perdure.model.identifiers import execution_id, execution_key
from perdure.model.status import Status
from perdure.ports.journal import AppendBatch, CreateExecution, End, Row
from perdure.ports.logs import NewLogRecord
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.journal_reads import JournalReads
from perdure.store.sqlite.store import JOURNAL_FILE, LOGS_FILE

_BATCHES_LIMIT = 1_000
_LINES = """
    SELECT time, level, task, message, fields, batch, position FROM lines WHERE key = ? ORDER BY seq
"""

_Change = CreateExecution | AppendBatch


@dataclass(frozen=True, slots=True)
class Step:
    """What the store is given in one step of an execution: log lines, and changes."""

    lines: Sequence[NewLogRecord]
    changes: Sequence[_Change]

    def of(self, key: int) -> "Step":
        """The same step of another execution."""
        id = execution_id(key)
        return Step(
            [msgspec.structs.replace(line, execution_id=id) for line in self.lines],
            [msgspec.structs.replace(change, execution_id=id) for change in self.changes],
        )


def steps_of(folder: Path, execution_id: str) -> Sequence[Step]:
    """The steps of a completed execution: its creation with its first batch, then each other batch.

    Its first log line is taken to have come with the first batch, the others with the last.
    """
    creation, first, *others = _changes(folder / JOURNAL_FILE, execution_id)
    changes = [[creation, first], *([other] for other in others)]
    lines = _lines(folder / LOGS_FILE, execution_id)
    lines_of_step = {0: lines[:1], len(changes) - 1: lines[1:]}
    return [Step(lines_of_step.get(number, ()), step) for number, step in enumerate(changes)]


def _changes(journal_file: Path, execution_id: str) -> Sequence[_Change]:
    """The changes that an execution's rows came from."""
    readers = Readers(journal_file)
    try:
        reads = JournalReads(readers)
        row = reads.row(execution_id)
        if row is None or row.completed_at is None:
            raise ValueError(f"{execution_id} has not ended")
        inputs = reads.inputs(execution_id)
        batches = reads.batches(execution_id, 0, _BATCHES_LIMIT)
    finally:
        readers.close()
    end = End(status=row.status, at=row.completed_at, error=row.error)
    last = len(batches) - 1
    appends = [
        _append(execution_id, seq, body, end if seq == last else None)
        for seq, body in enumerate(batches)
    ]
    return [_creation(row, inputs), *appends]


def _creation(row: Row, inputs: bytes) -> CreateExecution:
    return CreateExecution(
        execution_id=row.execution_id,
        workflow_id=row.workflow_id,
        workflow_version=row.workflow_version,
        digest=row.digest,
        status=Status.RUNNING,
        created_at=row.created_at,
        inputs=inputs,
        tags=row.tags,
        created_by=row.created_by,
    )


def _append(execution_id: str, seq: int, body: bytes, end: End | None) -> AppendBatch:
    return AppendBatch(
        execution_id=execution_id,
        epoch=1,
        seq=seq,
        inbox_seen=0,
        inbox_known=0,
        body=body,
        guarded=True,
        active=True,
        end=end,
    )


def _lines(logs_file: Path, execution_id: str) -> Sequence[NewLogRecord]:
    with closing(apsw.Connection(str(logs_file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        rows: Any = connection.execute(_LINES, (execution_key(execution_id),))
        return [NewLogRecord(execution_id, *values) for values in rows]
