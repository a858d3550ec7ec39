"""Writes the lines of executions: those that attempts flush early are kept where that fails.

What a task logs is on disk before the batch with its outcome (docs/journal.md, section 11). Some of
it comes before that batch does, in writes of its own that nothing else depends on.

Invariants:
- Lines of an execution are on disk in the order in which they came here. What comes after early
  ones is not written unless these are.
- Early lines whose write fails are kept, and go before the next lines of their execution; else
  they are tried again each `retry_s`.
- No more than KEPT_BYTES are kept; beyond, the oldest are dropped, and one line says how many.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from functools import partial

from perdure.ports.logs import STORY, Logs, NewLogRecord

KEPT_BYTES = 32 * 1024 * 1024
_OVERHEAD_BYTES = 300


class _Early:
    """Lines of one execution that came early, after so many that were dropped."""

    __slots__ = ("dropped", "records")

    def __init__(self, records: Iterable[NewLogRecord] = ()) -> None:
        self.records = deque(records)
        self.dropped = 0

    def told(self) -> Sequence[NewLogRecord]:
        """The lines, the first of which says how many were dropped."""
        if not self.dropped:
            return tuple(self.records)
        first = self.records[0]
        text = f"{self.dropped:,} lines were dropped here: they could not be written"
        line = NewLogRecord(first.execution_id, first.timestamp, "WARNING", None, text, None, STORY)
        return (line, *self.records)


class Lines:
    """The way of lines into the log."""

    def __init__(self, logs: Logs, retry_s: float) -> None:
        self._logs = logs
        self._retry_s = retry_s
        self._under_way: dict[str, tuple[int, _Early]] = {}
        """The last write of early lines of an execution, with its ticket, until it is over."""
        self._kept: OrderedDict[str, _Early] = OrderedDict()
        self._kept_bytes = 0
        self._waiting = False

    def write(self, execution_id: str, records: Sequence[NewLogRecord]) -> int:
        """Write lines of an execution; the ticket of what has to be on disk now, 0 for nothing.

        If the write fails, they are the caller's to write again.
        """
        after = self._early(execution_id) if self._under_way or self._kept else 0
        return self._logs.write(records, after=after) if records else after

    def write_early(self, records: Sequence[NewLogRecord]) -> None:
        """Write lines of attempts that run, once it can be."""
        by_execution: dict[str, list[NewLogRecord]] = {}
        for record in records:
            by_execution.setdefault(record.execution_id, []).append(record)
        for execution_id, lines in by_execution.items():
            if execution_id in self._kept and execution_id not in self._under_way:
                self._keep(execution_id, lines)
            else:
                self._write(execution_id, _Early(lines))

    def retry(self) -> None:
        """Write what is kept."""
        self._waiting = False
        for execution_id in tuple(self._kept):
            self._early(execution_id)

    def _early(self, execution_id: str) -> int:
        """The ticket of the last early lines; those that are kept are written now.

        While some are under way, those that are kept are older: what is under way fails after them.
        """
        if execution_id not in self._under_way:
            kept = self._kept.pop(execution_id, None)
            if kept is None:
                return 0
            self._kept_bytes -= _OVERHEAD_BYTES + sum(map(_size, kept.records))
            self._write(execution_id, kept)
        return self._under_way[execution_id][0]

    def _write(self, execution_id: str, early: _Early) -> None:
        after, _ = self._under_way.get(execution_id, (0, None))
        over = partial(self._over, execution_id, early)
        ticket = self._logs.write(early.told(), after=after, over=over)
        self._under_way[execution_id] = (ticket, early)

    def _over(self, execution_id: str, early: _Early, again: bool) -> None:
        newest = self._under_way.get(execution_id)
        if newest is not None and newest[1] is early:
            del self._under_way[execution_id]
        if again:
            self._keep(execution_id, early.records, early.dropped)

    def _keep(self, execution_id: str, records: Iterable[NewLogRecord], dropped: int = 0) -> None:
        kept = self._kept.get(execution_id)
        if kept is None:
            kept = self._kept[execution_id] = _Early()
            self._kept_bytes += _OVERHEAD_BYTES
        kept.dropped += dropped
        for record in records:
            kept.records.append(record)
            self._kept_bytes += _size(record)
        while self._kept_bytes > KEPT_BYTES:
            self._drop_oldest()
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(self._retry_s, self.retry)

    def _drop_oldest(self) -> None:
        execution_id, oldest = next(iter(self._kept.items()))
        self._kept_bytes -= _size(oldest.records.popleft())
        oldest.dropped += 1
        if not oldest.records:
            del self._kept[execution_id]
            self._kept_bytes -= _OVERHEAD_BYTES


def _size(record: NewLogRecord) -> int:
    return _OVERHEAD_BYTES + len(record.message) + len(record.fields or b"")
