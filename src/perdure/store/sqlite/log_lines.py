"""Numbers the lines of each execution without gaps, and keeps each within its quota.

A line counts its text and fields, and `LINE_BYTES` for what its row takes besides. Beyond the
quota one line says so, and what user code logs is dropped; perdure's own lines are kept.
The counts of executions that logged lately are held in memory; others are read from their last
line. After a transaction was undone they must be forgotten.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from perdure.model.identifiers import execution_key
from perdure.ports.logs import STORY, NewLogRecord
from perdure.store.sqlite.statements import load

LINE_BYTES = 64
COUNTED_EXECUTIONS = 20_000
ROWS_LIMIT = 256
BYTES_LIMIT = 1024 * 1024
"""What one statement is given."""

_SQL = load("logs.sql")
_PUT_LINES = _SQL["put_lines"]
_LAST_LINE = _SQL["last_line"]


class Written(NamedTuple):
    """Lines that were given to be written: see `Logs.write`."""

    ticket: int
    records: Sequence[NewLogRecord]
    after: int = 0
    over: Callable[[bool], None] | None = None


_Row = tuple[int | str | None, ...]

_encoded = msgspec.json.Encoder().encode


class LogLines:
    """Puts lines into the file; within transactions that its caller commits."""

    def __init__(self, connection: apsw.Connection, quota_bytes: int) -> None:
        self._connection = connection
        self._quota_bytes = quota_bytes
        self._last: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._rows: list[_Row] = []
        self._rows_bytes = 0

    def put(self, written: Written) -> None:
        """Put lines. Raises ValueError for a line of what is no execution."""
        self.put_all([written])

    def put_all(self, group: Sequence[Written]) -> Sequence[None]:
        """Put the lines of several writes, in few statements. Raises as `put` does."""
        self._rows.clear()
        for written in group:
            for record in written.records:
                key = execution_key(record.execution_id)
                if key is None:
                    raise ValueError(f"{record.execution_id!r} is no execution id")
                self._put(key, record)
        self._insert_rows()
        return [None] * len(group)

    def forget(self) -> None:
        """Forget all counts: the file may have less than was put."""
        self._last.clear()

    def _put(self, key: int, record: NewLogRecord) -> None:
        last = self._last.pop(key, None)
        seq, kept = self._read_last(key) if last is None else last
        user_line = record.batch != STORY
        size = _size(record) if user_line else 0
        if not user_line or kept + size <= self._quota_bytes:
            seq, kept = seq + 1, kept + size
            self._insert(key, seq, record, kept)
        elif kept <= self._quota_bytes:
            seq, kept = seq + 1, self._quota_bytes + 1
            self._insert(key, seq, self._marker(record), kept)
        self._last[key] = (seq, kept)
        if len(self._last) > COUNTED_EXECUTIONS:
            self._last.popitem(last=False)

    def _read_last(self, key: int) -> tuple[int, int]:
        found: list[Any] = self._connection.execute(_LAST_LINE, (key,)).fetchall()
        return found[0] if found else (0, 0)

    def _insert(self, key: int, seq: int, record: NewLogRecord, kept: int) -> None:
        fields = record.fields
        self._rows.append(
            (
                key,
                seq,
                record.timestamp,
                record.level,
                record.task,
                record.message,
                None if fields is None else fields.decode(),
                record.batch,
                kept,
                record.position,
            )
        )
        self._rows_bytes += len(record.message) + len(fields or b"")
        if len(self._rows) == ROWS_LIMIT or self._rows_bytes > BYTES_LIMIT:
            self._insert_rows()

    def _insert_rows(self) -> None:
        if self._rows:
            self._connection.execute(_PUT_LINES, (_encoded(self._rows).decode(),))
        self._rows.clear()
        self._rows_bytes = 0

    def _marker(self, record: NewLogRecord) -> NewLogRecord:
        return NewLogRecord(
            execution_id=record.execution_id,
            timestamp=record.timestamp,
            level="WARNING",
            task=None,
            message=f"log quota of {self._quota_bytes:,} bytes reached: further lines are not kept",
            batch=STORY,
        )


def _size(record: NewLogRecord) -> int:
    message = record.message
    text = len(message) if message.isascii() else len(message.encode())
    return LINE_BYTES + text + len(record.fields or b"")
