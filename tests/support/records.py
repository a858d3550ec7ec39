"""What stands in a data folder and in a diary, read beside the server, whether it lives or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from perdure.machine import events as e
from perdure.machine.batch import Batch, decode_batch
from perdure.ports.executions import ListRequest
from perdure.ports.journal import Row
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.journal_reads import JournalReads
from perdure.store.sqlite.lists import Lists
from perdure.store.sqlite.store import JOURNAL_FILE

_PAGE = 1_000


class Attempt(NamedTuple):
    """One attempt of a task of an execution."""

    execution_id: str
    position: str
    attempt: int


class Note(NamedTuple):
    """A line of the diary: what a task wrote about itself, under its idempotency key."""

    attempt: Attempt
    what: str
    pid: int


class Diary:
    """The file that `tests.support.served.diary` writes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def size(self) -> int:
        """Its length in bytes: where the next line begins."""
        return self._file.stat().st_size if self._file.exists() else 0

    def notes(self, start: int = 0) -> list[Note]:
        """Its lines from `start` on."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as opened:
            opened.seek(start)
            return [_note(line) for line in opened.read().decode().splitlines()]

    def begun(self, start: int = 0) -> list[Attempt]:
        """The attempts that began from `start` on, as often as they did."""
        return [note.attempt for note in self.notes(start) if note.what == "begin"]


def _note(line: str) -> Note:
    key, attempt, what, pid = line.split(" ")
    execution_id, _, position = key.partition(":")
    return Note(Attempt(execution_id, position, int(attempt)), what, int(pid))


class Records:
    """The journal of a data folder, as far as it is on disk."""

    def __init__(self, data: Path) -> None:
        self._readers = Readers(data / JOURNAL_FILE)
        self._journal = JournalReads(self._readers)

    def close(self) -> None:
        """Close the file."""
        self._readers.close()

    def rows(self) -> list[Row]:
        """All executions."""
        lists = Lists(self._readers)
        page = lists.page(ListRequest(limit=_PAGE))
        heads = [*page.executions]
        while page.next is not None:
            page = lists.page(ListRequest(limit=_PAGE, after=page.next))
            heads += page.executions
        return [self.row(head.execution_id) for head in heads]

    def row(self, execution_id: str) -> Row:
        """One execution."""
        row = self._journal.row(execution_id)
        assert row is not None, f"{execution_id} is not recorded"
        return row

    def batches(self, row: Row) -> list[Batch]:
        """The batches of an execution's generation."""
        count = row.next_seq - row.journal_start
        bodies = self._journal.batches(row.execution_id, row.journal_start, count)
        assert len(bodies) == count, f"{row.execution_id}: {len(bodies)} batches of {count}"
        return [decode_batch(body) for body in bodies]

    def outcomes(self) -> Iterator[Attempt]:
        """Every attempt of a task whose outcome is recorded, in a batch."""
        for row in self.rows():
            for batch in self.batches(row):
                event = batch.event
                if isinstance(event, e.TaskCompleted | e.TaskFailed | e.TaskCancelled):
                    yield Attempt(row.execution_id, event.position, event.attempt)
