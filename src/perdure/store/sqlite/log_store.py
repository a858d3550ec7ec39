"""The log on SQLite: lines in groups through one connection, reads through others."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import apsw

from perdure.model.execution import LogRecord
from perdure.ports.logs import LogFile, LogPage, LogParts, LogQuery, Logs, NewLogRecord
from perdure.store.sqlite.errors import explained, is_of_the_medium
from perdure.store.sqlite.groups import Groups, InlineGroups, Schedule, ThreadedGroups
from perdure.store.sqlite.log_lines import LogLines, Written
from perdure.store.sqlite.log_reads import LogReads
from perdure.store.sqlite.tickets import Tickets
from perdure.store.sqlite.transaction import Commit, Transactions
from perdure.store.sqlite.upkeep import Upkeep

Over = Callable[[bool], None]
"""See `Logs.write`."""

_log = logging.getLogger("perdure.store")


class SqliteLogs(Logs):
    """Writes lines in the order in which they came; each call of `write` whole or not at all."""

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        schedule: Schedule,
        *,
        threads: bool,
        commit: Commit,
        quota_bytes: int,
    ) -> None:
        self._connection = connection
        self._path = path
        self._schedule = schedule
        self._reads = LogReads(path)
        self._lines = LogLines(connection, quota_bytes)
        self._transactions = Transactions(connection, commit, self._lines.forget)
        self._upkeep = Upkeep(connection)
        self._tickets = Tickets()
        self._taken_lines = 0
        self._written_lines = 0
        self._last_ticket = 0
        self._closed = False
        self._groups: Groups[Written] = (
            ThreadedGroups("perdure-logs", self._write)
            if threads
            else InlineGroups(schedule, self._write)
        )

    def write(
        self,
        records: Sequence[NewLogRecord],
        *,
        after: int = 0,
        over: Callable[[bool], None] | None = None,
    ) -> int:
        self._last_ticket += 1
        written = Written(self._last_ticket, records, after, over)
        if self._closed:
            self._tickets.settle(self._last_ticket, [self._last_ticket])
            self._tell([(over, True)] if over is not None else [])
        else:
            self._taken_lines += len(records)
            self._groups.put(written)
        return self._last_ticket

    @property
    def unwritten(self) -> int:
        return self._taken_lines - self._written_lines

    def wait(self, ticket: int) -> None:
        """Wait until the write with this ticket is on disk, or has failed."""
        self._groups.flush()
        self._tickets.wait(min(ticket, self._last_ticket))

    def failed(self, ticket: int) -> bool:
        return self._tickets.failed(ticket)

    def newest(self, execution_id: str, limit: int) -> Sequence[LogRecord]:
        return self._reads.newest(execution_id, limit)

    def page(self, execution_id: str, query: LogQuery) -> LogPage:
        return self._reads.page(execution_id, query)

    def parts(self, execution_id: str, file: LogFile) -> LogParts:
        return self._reads.parts(execution_id, file)

    def of_batch(self, execution_id: str, batch: int) -> Sequence[str]:
        return self._reads.of_batch(execution_id, batch)

    def close(self, *, abandon: bool) -> None:
        """Write what was taken, unless it is abandoned, and close the file."""
        self._closed = True
        if abandon:
            self._groups.abandon()
        else:
            self._groups.close()
        self._reads.close()
        self._connection.close()

    def _write(self, group: list[Written]) -> None:
        held_up = {x.ticket for x in group if x.after and self._tickets.failed(x.after)}
        ready = [x for x in group if x.ticket not in held_up] if held_up else group
        errors = self._put(ready) if ready else {}
        self._written_lines += sum(len(written.records) for written in group)
        self._tickets.settle(group[-1].ticket, sorted({*errors, *held_up}))
        self._tell(
            [
                (x.over, x.ticket in held_up or _may_be_repeated(errors.get(x.ticket)))
                for x in group
                if x.over is not None
            ]
        )
        self._upkeep.after_group()

    def _put(self, group: list[Written]) -> dict[int, Exception]:
        """Put lines into the file; what failed, by ticket."""
        results = self._transactions.write(group, self._lines.put_all, self._lines.put)
        errors = {
            written.ticket: result
            for written, result in zip(group, results, strict=True)
            if isinstance(result, Exception)
        }
        if errors:
            error = explained(next(iter(errors.values())), self._path)
            _log.error("log lines could not be written: %s", error)
        return errors

    def _tell(self, told: list[tuple[Over, bool]]) -> None:
        """Tell that writes are over, and which of them may be repeated."""
        if told:
            try:
                self._schedule(partial(_tell, told))
            except RuntimeError:
                _log.warning("%s: the loop is closed: writes are told to nobody", self._path)


def _tell(told: Sequence[tuple[Over, bool]]) -> None:
    for over, again in told:
        over(again)


def _may_be_repeated(error: Exception | None) -> bool:
    return error is not None and is_of_the_medium(error)
