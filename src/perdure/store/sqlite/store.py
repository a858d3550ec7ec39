"""The store: a journal and a log, each in a file of its own below one folder."""

from pathlib import Path

from perdure.store.sqlite.connections import make_folder, open_writer
from perdure.store.sqlite.groups import Schedule
from perdure.store.sqlite.journal_store import SqliteJournal
from perdure.store.sqlite.log_store import SqliteLogs
from perdure.store.sqlite.transaction import Commit, commit

JOURNAL_FILE = "perdure.db"
LOGS_FILE = "logs.db"
LOG_QUOTA_BYTES = 10 * 1024 * 1024
"""What user code may log in one execution."""


class SqliteStore:
    """An open data folder. There is one server per folder: that is the caller's to make sure."""

    def __init__(self, journal: SqliteJournal, logs: SqliteLogs) -> None:
        self.journal = journal
        self.logs = logs

    @classmethod
    def open(
        cls,
        folder: Path,
        schedule: Schedule,
        *,
        threads: bool = True,
        log_quota_bytes: int = LOG_QUOTA_BYTES,
        commit: Commit = commit,
    ) -> "SqliteStore":
        """Open a data folder, which is made if it is not there.

        `schedule` has outcomes told on the engine's loop: `loop.call_soon_threadsafe`, called once
        per group. Without `threads` it is `loop.call_soon`: groups are then written in what is
        scheduled, and nothing happens elsewhere. `commit` is given the connection of either file.

        Raises a StorageError that says what to do where the folder cannot be used.
        """
        make_folder(folder)
        logs_path, journal_path = folder / LOGS_FILE, folder / JOURNAL_FILE
        journal_connection = open_writer(journal_path, "journal")
        try:
            logs_connection = open_writer(logs_path, "logs")
        except BaseException:
            journal_connection.close()
            raise
        logs = SqliteLogs(
            logs_connection,
            logs_path,
            schedule,
            threads=threads,
            commit=commit,
            quota_bytes=log_quota_bytes,
        )
        journal = SqliteJournal(
            journal_connection,
            journal_path,
            schedule,
            logs=logs,
            threads=threads,
            commit=commit,
        )
        return cls(journal, logs)

    def close(self) -> None:
        """Write what was taken, then close both files; waits for it."""
        self.journal.close(abandon=False)
        self.logs.close(abandon=False)

    def abandon(self) -> None:
        """Close both files as a crash would leave them: nothing more is written."""
        self.journal.close(abandon=True)
        self.logs.close(abandon=True)
