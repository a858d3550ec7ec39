"""The store ports on SQLite.

Two files, the journal and the log, each written by one connection in group commits: everything
that was submitted while the last commit was under way makes up the next transaction.

- What is reported as done is on disk: WAL, `synchronous=FULL`, fsynced.
- Changes take effect in the order of submission, each whole or not at all.
- A journal change is on disk after the log lines that it names, and fails where they failed.
- Readers never wait for the writer, and see only what is on disk.

On failure: a change that fails by its own fault fails alone, with reason "storage"; a commit that
fails (disk full, I/O) fails its whole group in the same way, and nothing of it is recorded. The
store goes on with the next group either way. A crash loses only what was not reported as done.
"""

from perdure.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
