"""Stories of executions, kept so that looking again reads only what is new.

Invariants:
- A story is shown as of a row that was read after it was taken up, and is never behind that row.
  So status and tasks agree, whoever else reads the same story.
- A story is of one run and one generation; when these change it begins anew.
- No step reads more than STEP batches, so that other reads come in between, and nothing else of
  this process waits for long.
- What is kept is bounded by number and by memory; short journals are not kept, but told anew.
On failure of a read, what was told before stays.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from perdure.engine.views import Story
from perdure.ports.journal import Journal, Row

STEP = 4_000
SHORT = 200
KEPT = 64
KEPT_BYTES = 64 * 1024 * 1024

T = TypeVar("T")


class _Told:
    """How far the story of an execution is told."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of: tuple[int, int] = (0, -1)
        """Run and first batch of the generation."""
        self.story = Story()


class Stories:
    """The stories that were told last. To be used from any thread."""

    def __init__(
        self,
        journal: Journal,
        *,
        step: int = STEP,
        short: int = SHORT,
        kept: int = KEPT,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._journal = journal
        self.step = step
        """How many batches are read at a time."""
        self.short = short
        """Journals of up to so many batches are told anew each time."""
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def telling(self, execution_id: str) -> "Telling":
        """A look at an execution."""
        return Telling(self, self._journal, execution_id)

    # -- for `Telling` -------------------------------------------------------------------------

    def take(self, execution_id: str) -> _Told:
        """What is kept of an execution's story, or a new one."""
        with self._lock:
            return self._told.setdefault(execution_id, _Told())

    def keep(self, execution_id: str, told: _Told) -> None:
        """Keep what was told now; the longest unused go beyond the bounds."""
        with self._lock:
            self._told[execution_id] = told
            self._told.move_to_end(execution_id)
            self._bytes += told.story.bytes - self._sizes.get(execution_id, 0)
            self._sizes[execution_id] = told.story.bytes
            while len(self._told) > self._kept or self._bytes > self._kept_bytes:
                oldest, _ = self._told.popitem(last=False)
                self._bytes -= self._sizes.pop(oldest, 0)


class Telling:
    """One look at one execution, step by step: what it has read stays its own until it is done."""

    def __init__(self, stories: Stories, journal: Journal, execution_id: str) -> None:
        self._stories = stories
        self._journal = journal
        self._execution_id = execution_id
        self._told: _Told | None = None

    def go_on(self, show: Callable[[Row, Story], T]) -> T | None:
        """Read on; what `show` makes of the row and its story (never None), or None: go on again.

        Raises LookupError, with the id, for an unknown execution.
        """
        row = self._row()
        if row.next_seq - row.journal_start <= self._stories.short:
            bodies = self._read(row, row.journal_start, self._stories.short)
            return show(row, Story(row.journal_start, bodies))
        if self._told is None:
            self._told = self._stories.take(self._execution_id)
        told = self._told
        with told.lock:
            row = self._row()
            if told.of != (row.run, row.journal_start):
                told.of = (row.run, row.journal_start)
                told.story = Story(row.journal_start)
            bodies = self._read(row, told.story.next_seq, self._stories.step)
            for body in bodies:
                told.story.add(body)
            self._stories.keep(self._execution_id, told)
            if bodies and told.story.next_seq < row.next_seq:
                return None
            return show(row, told.story)

    def _row(self) -> Row:
        row = self._journal.row(self._execution_id)
        if row is None:
            raise LookupError(self._execution_id)
        return row

    def _read(self, row: Row, first_seq: int, most: int) -> Sequence[bytes]:
        count = min(row.next_seq - first_seq, most)
        return self._journal.batches(self._execution_id, first_seq, count)
