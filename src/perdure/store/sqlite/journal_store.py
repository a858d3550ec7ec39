"""The journal on SQLite: changes in groups through one connection, reads through others."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import apsw

from perdure.ports.journal import Change, Journal, Outcome
from perdure.store.sqlite.changes import apply, apply_together
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.definitions import DefinitionReads
from perdure.store.sqlite.errors import explained
from perdure.store.sqlite.groups import Groups, InlineGroups, Schedule, ThreadedGroups
from perdure.store.sqlite.journal_reads import JournalReads
from perdure.store.sqlite.lists import Lists
from perdure.store.sqlite.log_store import SqliteLogs
from perdure.store.sqlite.transaction import Commit, Transactions
from perdure.store.sqlite.upkeep import Upkeep

Done = Callable[[Outcome], None]
_Submitted = tuple[Change, Done, int]

_log = logging.getLogger("perdure.store")


class SqliteJournal(JournalReads, DefinitionReads, Lists, Journal):
    """Commits a group when the logs that it waits for are on disk.

    All outcomes of a group are told in one call through `schedule`, in the order of submission,
    once the writes of logs that it waits for are over.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        path: Path,
        schedule: Schedule,
        *,
        logs: SqliteLogs,
        threads: bool,
        commit: Commit,
    ) -> None:
        super().__init__(Readers(path))
        self._connection = connection
        self._path = path
        self._schedule = schedule
        self._logs = logs
        self._transactions = Transactions(connection, commit)
        self._upkeep = Upkeep(connection)
        self._tell_at_once = not threads
        self._submitted = 0
        self._written = 0
        self._closed = False
        self._groups: Groups[_Submitted] = (
            ThreadedGroups("perdure-journal", self._write)
            if threads
            else InlineGroups(schedule, self._write)
        )

    def submit(self, change: Change, done: Done, *, after_logs: int = 0) -> None:
        if self._closed:
            refusal = Outcome(done=False, reason="storage", detail=f"{self._path} is closed")
            self._schedule(partial(_tell, [done], [refusal]))
            return
        self._submitted += 1
        self._groups.put((change, done, after_logs))

    @property
    def backlog(self) -> int:
        return self._submitted - self._written

    def close(self, *, abandon: bool) -> None:
        """Write what was submitted, unless it is abandoned, and close the file."""
        self._closed = True
        if abandon:
            self._groups.abandon()
        else:
            self._groups.close()
        self._readers.close()
        self._connection.close()

    def _write(self, group: list[_Submitted]) -> None:
        outcomes = self._outcomes(group)
        self._written += len(group)
        tell = partial(_tell, [done for _, done, _ in group], outcomes)
        if self._tell_at_once:
            tell()
        else:
            self._schedule_from_thread(tell)
        self._upkeep.after_group()

    def _outcomes(self, group: list[_Submitted]) -> list[Outcome]:
        results = self._transactions.write(
            group, self._apply_together, self._apply_alone, partial(self._logged, group)
        )
        if any(isinstance(result, Exception) for result in results):
            self._logged(group)
        return [
            self._failed(result) if isinstance(result, Exception) else result for result in results
        ]

    def _logged(self, group: list[_Submitted]) -> bool:
        """Wait for the logs of a group, which are written beside it: whether none has failed."""
        tickets = [after_logs for _, _, after_logs in group if after_logs]
        if tickets:
            self._logs.wait(max(tickets))
        return not any(self._logs.failed(ticket) for ticket in tickets)

    def _apply_together(self, group: Sequence[_Submitted]) -> Sequence[Outcome]:
        return apply_together(self._connection, [change for change, _, _ in group])

    def _apply_alone(self, submitted: _Submitted) -> Outcome:
        change, _, after_logs = submitted
        if after_logs and self._logs.failed(after_logs):
            return Outcome(
                done=False, reason="storage", detail="the log lines before it were not written"
            )
        return apply(self._connection, change)

    def _failed(self, error: Exception) -> Outcome:
        detail = str(explained(error, self._path))
        return Outcome(done=False, reason="storage", detail=detail)

    def _schedule_from_thread(self, tell: Callable[[], None]) -> None:
        try:
            self._schedule(tell)
        except RuntimeError:
            _log.warning("%s: the loop is closed: outcomes are told to nobody", self._path)


def _tell(dones: Sequence[Done], outcomes: Sequence[Outcome]) -> None:
    for done, outcome in zip(dones, outcomes, strict=True):
        try:
            done(outcome)
        except Exception:
            _log.exception("a callback for the outcome of a change failed")
