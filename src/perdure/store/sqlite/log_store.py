"""The log on SQLite: lines in groups through one connection, reads through others."""

import logging
from collections.abc import Sequence
from pathlib import Path

import apsw

from perdure.model.execution import LogRecord
from perdure.ports.logs import LogFile, LogPage, LogParts, LogQuery, Logs, NewLogRecord
from perdure.store.sqlite.errors import explained
from perdure.store.sqlite.groups import Groups, InlineGroups, Schedule, ThreadedGroups
from perdure.store.sqlite.log_lines import LogLines, Written
from perdure.store.sqlite.log_reads import LogReads
from perdure.store.sqlite.tickets import Tickets
from perdure.store.sqlite.transaction import Commit, Transactions
from perdure.store.sqlite.upkeep import Upkeep

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

    def write(self, records: Sequence[NewLogRecord]) -> int:
        self._last_ticket += 1
        if self._closed:
            self._tickets.settle(self._last_ticket, [self._last_ticket])
        else:
            self._taken_lines += len(records)
            self._groups.put((self._last_ticket, records))
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
        results = self._transactions.write(group, self._lines.put_all, self._lines.put)
        failed = [
            ticket
            for (ticket, _), result in zip(group, results, strict=True)
            if isinstance(result, Exception)
        ]
        if failed:
            error = next(result for result in results if isinstance(result, Exception))
            _log.error("log lines are lost: %s", explained(error, self._path))
        self._written_lines += sum(len(records) for _, records in group)
        self._tickets.settle(group[-1][0], failed)
        self._upkeep.after_group()
