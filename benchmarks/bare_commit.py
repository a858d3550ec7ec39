"""The bare cost of durability: an execution's statements, run by SQLite with nothing around them.

In it: the statements that the store runs for a group, with the values of an execution that a
server has run (see `recorded`), so rows of the same sizes; the same two files with the store's
schema, triggers, pragmas and upkeep; and a commit with fsync in either file for each group, the
log's before the journal's. There are two kinds of groups:

- `groups_of_steps`: the next step of each of 50 executions is one transaction. That is what 50
  clients bring about: a step begins when the one before is on disk.
- `groups_of_executions`: all rows of 50 executions are one transaction, with a fifth of the
  commits and each page written once. It keeps no promise, and is shown for comparison.

Not in it: HTTP, workers, programs, encoding and decoding, Python that is run per change (what the
statements are is found out before), other threads, and reading the result back.
"""

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from benchmarks.recorded import Step
from perdure.store.sqlite.changes import apply_together
from perdure.store.sqlite.connections import open_writer
from perdure.store.sqlite.log_lines import LogLines, Written
from perdure.store.sqlite.store import JOURNAL_FILE, LOG_QUOTA_BYTES, LOGS_FILE
from perdure.store.sqlite.upkeep import Upkeep

BLOCK_BYTES = 4096
FIRST_KEY = 1 << 61
"""Keys take as many bytes as those of real executions."""


_Asked = Sequence[tuple[str, Any]]
"""Statements with their values."""

Group = Mapping[int, Sequence[int]]
"""For each step that is in a group, the keys of the executions that take it."""


def bare_group_commit(steps: Sequence[Step], groups: Sequence[Group], folder: Path) -> float:
    """Run the steps of as many executions as are in the groups; how many were done a second.

    The files are new, in a temporary folder inside `folder`: one on the disk of the server's data.
    The first third is not counted: until it is first checkpointed a WAL grows, which is slower.
    """
    asked = _asked(steps, groups)
    uncounted = len(groups) // 3
    with (
        tempfile.TemporaryDirectory(dir=folder) as empty,
        closing(open_writer(Path(empty, LOGS_FILE), "logs")) as logs,
        closing(open_writer(Path(empty, JOURNAL_FILE), "journal")) as journal,
    ):
        files = [(logs, Upkeep(logs)), (journal, Upkeep(journal))]
        for group in asked[:uncounted]:
            _run(group, files)
        started = time.perf_counter()
        for group in asked[uncounted:]:
            _run(group, files)
        seconds = time.perf_counter() - started
    return sum(len(group.get(0, ())) for group in groups[uncounted:]) / seconds


def groups_of_executions(executions: int, *, together: int, steps: int) -> Sequence[Group]:
    """Groups that have all steps of `together` executions."""
    last = FIRST_KEY + executions
    return [
        dict.fromkeys(range(steps), range(first, min(first + together, last)))
        for first in range(FIRST_KEY, last, together)
    ]


def groups_of_steps(executions: int, *, clients: int, steps: int) -> Sequence[Group]:
    """Groups that have one step of each of `clients` executions.

    Every client starts an execution when its last one has ended; the first ones start one group
    after the other, so that each step occurs in each group about as often as the others.
    """
    groups: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number in range(executions):
        turn, client = divmod(number, clients)
        first = turn * steps + client % steps
        for step in range(steps):
            groups[first + step][step].append(FIRST_KEY + number)
    return [groups[number] for number in sorted(groups)]


def _asked(steps: Sequence[Step], groups: Sequence[Group]) -> Sequence[tuple[_Asked, _Asked]]:
    """What the store asks of the logs and of the journal for each group: found out by doing it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        closing(open_writer(Path(scratch, LOGS_FILE), "logs")) as logs,
        closing(open_writer(Path(scratch, JOURNAL_FILE), "journal")) as journal,
    ):
        for connection in (logs, journal):
            connection.pragma("synchronous", "OFF")
        asked_of_logs, asked_of_journal = _noted(logs), _noted(journal)
        log_lines = LogLines(logs, LOG_QUOTA_BYTES)
        asked = []
        for group in groups:
            taken = [steps[step].of(key) for step, keys in group.items() for key in keys]
            log_lines.put_all([Written(0, step.lines) for step in taken])
            apply_together(journal, [change for step in taken for change in step.changes])
            asked.append((asked_of_logs(), asked_of_journal()))
        return asked


def _noted(connection: apsw.Connection) -> Callable[[], _Asked]:
    """From now on note what is asked of a connection; the call gives what is new since the last."""
    noted: list[tuple[str, Any]] = []

    def note(cursor: apsw.Cursor, sql: str, values: Any) -> bool:
        noted.append((sql, values))
        return True

    def taken() -> _Asked:
        statements = tuple(noted)
        noted.clear()
        return statements

    connection.exec_trace = note
    return taken


def _run(asked: tuple[_Asked, _Asked], files: Sequence[tuple[apsw.Connection, Upkeep]]) -> None:
    """Commit a group: its log lines, then its changes."""
    for (connection, upkeep), statements in zip(files, asked, strict=True):
        if statements:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in statements:
                connection.execute(sql, values)
            connection.execute("COMMIT")
            upkeep.after_group()


def fsync_ms(folder: Path, *, writes: int = 200) -> float:
    """Return the median time, in milliseconds, of writing 4 KB and fdatasync in `folder`.

    The writes go over each other in space already allocated, as those to a WAL do that has been
    checkpointed once.
    """
    block = os.urandom(BLOCK_BYTES)
    durations_seconds: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        os.pwrite(descriptor, block, 0)
        os.fsync(descriptor)
        for _ in range(writes):
            started = time.perf_counter()
            os.pwrite(descriptor, block, 0)
            os.fdatasync(descriptor)
            durations_seconds.append(time.perf_counter() - started)
    return statistics.median(durations_seconds) * 1000
