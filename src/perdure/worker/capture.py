"""Takes what user code logs, with the standard logging module, to the log of its execution.

Where a record goes follows from where it was logged: while a machine steps, to the batch of that
step (dropped on replay); in a task, to its attempt; elsewhere to the process's stderr. `print` is
not captured.

Lines of an attempt wait in a buffer and leave with its outcome, or every FLUSH_S while it runs,
always in order. Buffers are bounded by FULL_LINES and FULL_BYTES. Where one is full, a thread
waits in its logging call until there is room. The loop's thread cannot wait: its lines leave at
once; if it goes on within the same turn of the loop until FULL_BYTES more have left, or nobody
reads the link, further lines are dropped and counted, and one line says how many.
"""

import asyncio
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar

from perdure.machine.machine import current
from perdure.ports.clock import Clock
from perdure.ports.logs import TASK_LINE, NewLogRecord
from perdure.worker.records import made_from

FULL_LINES = 10_000
FULL_BYTES = 8 * 1024 * 1024
FLUSH_S = 0.2

_PATIENCE_S = 1.0

attempt_lines: ContextVar["AttemptLines | None"] = ContextVar("perdure_lines", default=None)
"""The lines of the attempt that runs in this context."""


def size_of(record: NewLogRecord) -> int:
    """About how much memory a record takes."""
    return 200 + len(record.message) + len(record.fields or b"")


def dropped_line(
    execution_id: str,
    timestamp: int,
    count: int,
    task: str | None = None,
    position: str | None = None,
) -> NewLogRecord:
    """The line that stands for lines that were dropped."""
    text = f"{count:,} lines were dropped here: they came faster than they could be kept"
    return NewLogRecord(execution_id, timestamp, "WARNING", task, text, None, TASK_LINE, position)


class StepLines:
    """What workflow code logs in one step. Lines that `known` begins with are not repeated."""

    __slots__ = ("_batch", "_dropped", "_execution_id", "_known", "_now_ms", "_size", "records")

    def __init__(self, execution_id: str, batch: int, now_ms: int, known: deque[str]) -> None:
        self._execution_id = execution_id
        self._batch = batch
        self._now_ms = now_ms
        self._known = known
        self._size = 0
        self._dropped = 0
        self.records: list[NewLogRecord] = []

    def add(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if len(self.records) >= FULL_LINES or self._size >= FULL_BYTES:
            self._dropped += 1
            return
        line = made_from(record, self._execution_id, self._now_ms, None, self._batch)
        if self._known:
            if line.message == self._known[0]:
                self._known.popleft()
                return
            self._known.clear()
        self._size += size_of(line)
        self.records.append(line)

    def taken(self) -> list[NewLogRecord]:
        """The lines, in order."""
        if self._dropped:
            self.records.append(dropped_line(self._execution_id, self._now_ms, self._dropped))
        return self.records


class AttemptLines:
    """What one attempt logs. Filled from any thread, emptied by the loop's."""

    __slots__ = (
        "_capture",
        "dropped",
        "execution_id",
        "noted",
        "position",
        "records",
        "size",
        "task",
    )

    def __init__(self, capture: "Capture", execution_id: str, task: str, position: str) -> None:
        self._capture = capture
        self.execution_id = execution_id
        self.task = task
        self.position = position
        self.records: deque[NewLogRecord] = deque()
        self.size = 0
        self.dropped = 0
        self.noted = False
        """Whether the next flush knows of these lines."""

    @property
    def full(self) -> bool:
        """Whether there is no room for another line."""
        return len(self.records) >= FULL_LINES or self.size >= FULL_BYTES

    def add(self, line: NewLogRecord) -> None:
        """Keep a line; waits for room where the caller can wait."""
        if self.full and not self._capture.make_room(self):
            self.dropped += 1
            return
        self.records.append(line)
        self.size += size_of(line)
        if not self.noted:
            self.noted = True
            self._capture.note(self)

    def taken(self) -> list[NewLogRecord]:
        """The lines that were kept since the last time, in order."""
        records = self.records
        if not records and not self.dropped:
            return []
        lines = [records.popleft() for _ in range(len(records))]
        self.size = 0
        if self.dropped:
            count, self.dropped = self.dropped, 0
            timestamp = lines[-1].timestamp if lines else 0
            lines.append(
                dropped_line(self.execution_id, timestamp, count, self.task, self.position)
            )
        return lines


class Capture(logging.Handler):
    """The handler on the root logger. Made on the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        send: Callable[[Sequence[NewLogRecord]], None],
        backlog: Callable[[], int],
    ) -> None:
        super().__init__(logging.INFO)
        self._loop = loop
        self._clock = clock
        self._send = send
        self._backlog = backlog
        self._thread = threading.get_ident()
        self._stderr = logging.StreamHandler(sys.stderr)
        self._stderr.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )
        self._noted: deque[AttemptLines] = deque()
        self._armed = False
        self._timer: asyncio.TimerHandle | None = None
        self._room = threading.Condition()
        self._at_once_bytes = 0
        self.step: StepLines | None = None
        """Where workflow code logs to now."""

    def install(self) -> None:
        """Take what is logged in this process from now on."""
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(min(root.level or logging.INFO, logging.INFO))

    def remove(self) -> None:
        """Take nothing any more."""
        logging.getLogger().removeHandler(self)

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record without a lock: a thread that waits for room holds up no other."""
        if not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record of the logging module."""
        machine = current()
        if machine is not None:
            if not machine.replaying and self.step is not None:
                self.step.add(record)
            return
        lines = attempt_lines.get()
        if lines is None:
            self._stderr.handle(record)
        else:
            now_ms = self._clock.now_ms()
            lines.add(
                made_from(record, lines.execution_id, now_ms, lines.task, position=lines.position)
            )

    # -- flushing ------------------------------------------------------------------------------

    def note(self, lines: AttemptLines) -> None:
        """An attempt has lines to be flushed."""
        self._noted.append(lines)
        if not self._armed:
            self._armed = True
            if threading.get_ident() == self._thread:
                self._arm()
            else:
                self._loop.call_soon_threadsafe(self._arm)

    def make_room(self, lines: AttemptLines) -> bool:
        """Wait until there is room, or send what there is; False where neither can be."""
        if threading.get_ident() == self._thread:
            return self._send_at_once(lines)
        with self._room:
            while lines.full:
                self._loop.call_soon_threadsafe(self._flush)
                self._room.wait(_PATIENCE_S)
        return True

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self._flush)

    def _send_at_once(self, lines: AttemptLines) -> bool:
        if self._at_once_bytes + self._backlog() >= FULL_BYTES:
            return False
        self._at_once_bytes += lines.size
        self._send(lines.taken())
        return True

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at_once_bytes = 0
        if self._backlog() >= FULL_BYTES:
            self._arm()
            return
        self._armed = False
        for _ in range(len(self._noted)):
            lines = self._noted.popleft()
            lines.noted = False
            records = lines.taken()
            if records:
                self._send(records)
        with self._room:
            self._room.notify_all()
