"""What perdure asks SQLite to do for one execution, taken from a data folder.

The rows of an execution that a server has run are read, and given to the store's own code as the
changes that they came from; what that code asks of SQLite is noted.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from perdure.model.identifiers import execution_key
from perdure.model.status import Status
from perdure.ports.journal import AppendBatch, Change, CreateExecution, End, Row
from perdure.ports.logs import NewLogRecord
from perdure.store.sqlite.changes import apply
from perdure.store.sqlite.connections import Readers, open_writer
from perdure.store.sqlite.journal_reads import JournalReads
from perdure.store.sqlite.log_lines import LogLines
from perdure.store.sqlite.store import JOURNAL_FILE, LOG_QUOTA_BYTES, LOGS_FILE

_BATCHES_LIMIT = 1_000
_LINES = "SELECT time, level, task, message, fields, batch FROM lines WHERE key = ? ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, and its values after the first, which is the execution's key."""

    sql: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one change of an execution asks of the two files."""

    logs: Sequence[Statement]
    journal: Sequence[Statement]


def steps_of(folder: Path, execution_id: str) -> Sequence[Step]:
    """The steps of a completed execution: its creation with its first batch, then each other batch.

    Its first log line is taken to have come with the first batch, the others with the last.
    """
    changes = _changes(folder / JOURNAL_FILE, execution_id)
    lines = _lines(folder / LOGS_FILE, execution_id)
    lines_of_step = {1: lines[:1], len(changes) - 1: lines[1:]}
    with (
        tempfile.TemporaryDirectory() as empty,
        closing(open_writer(Path(empty, JOURNAL_FILE), "journal")) as journal,
        closing(open_writer(Path(empty, LOGS_FILE), "logs")) as logs,
    ):
        asked_of_logs, asked_of_journal = _noted(logs), _noted(journal)
        log_lines = LogLines(logs, LOG_QUOTA_BYTES)
        steps = []
        for number, change in enumerate(changes):
            log_lines.put((number, lines_of_step.get(number, ())))
            apply(journal, change)
            steps.append(Step(asked_of_logs(), asked_of_journal()))
        creation, first, *others = steps
        return [
            Step([*creation.logs, *first.logs], [*creation.journal, *first.journal]),
            *others,
        ]


def _changes(journal_file: Path, execution_id: str) -> Sequence[Change]:
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


def _noted(connection: apsw.Connection) -> Callable[[], Sequence[Statement]]:
    """From now on note what is asked of a connection; the call gives what is new since the last."""
    noted: list[Statement] = []

    def note(cursor: apsw.Cursor, sql: str, values: Any) -> bool:
        noted.append(Statement(sql, tuple(values[1:])))
        return True

    def taken() -> Sequence[Statement]:
        statements = tuple(noted)
        noted.clear()
        return statements

    connection.exec_trace = note
    return taken
