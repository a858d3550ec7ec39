"""The log as the engine writes and reads it (docs/journal.md, section 11)."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from perdure.model.execution import Level, LogRecord

TASK_LINE = -1
"""`batch` of a line that a task logged."""
STORY = -2
"""`batch` of a line of perdure's own; it is kept beyond the quota too."""


class NewLogRecord(msgspec.Struct, frozen=True, array_like=True):
    """A line to keep. The store gives it its `seq`.

    `batch` is the batch during whose step workflow code logged it, or TASK_LINE, or STORY;
    `fields` is a JSON object, or None; `position` is where the task is that `task` names.
    """

    execution_id: str
    timestamp: int
    level: Level
    task: str | None
    message: str
    fields: bytes | None = None
    batch: int = TASK_LINE
    position: str | None = None


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted: those that pass every condition. None lets all pass.

    `task` is a task's name, `position` its position. Lines from `since` on and before `until`, in
    milliseconds. `text` is looked for in messages, in either case: that of ASCII letters where it
    has no others, else as `str.casefold` has it.
    """

    levels: tuple[Level, ...] | None = None
    task: str | None = None
    position: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None


EVERY_LINE = LogFilter()


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of lines: at most `limit`, those that come after the line `after` in the order."""

    filter: LogFilter = EVERY_LINE
    descending: bool = False
    after: int | None = None
    limit: int = 1000


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines in order; `next_after` is where the next page begins, None where nothing is left.

    It may have fewer lines than were asked for, or none, and still not be the last: how many lines
    are looked at for a page, and how large it gets, is bounded.
    """

    records: Sequence[LogRecord]
    next_after: int | None = None


FileForm = Literal["text", "json", "ndjson"]
"""How a log is written to a file: lines for people, one JSON array, or a JSON object a line."""


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A log as a file, whole or filtered."""

    form: FileForm = "text"
    filter: LogFilter = EVERY_LINE
    descending: bool = False


class LogParts(Protocol):
    """The parts of a file, made one after the other; between two nothing is held but a place."""

    def next(self) -> bytes | None:
        """The next part, which may be empty; None after the last. Blocks while it reads.

        In text a line is `2026-02-23T16:30:00.123Z INFO [task] message`, without `[task]` where no
        task logged it, and fields follow as JSON. Newlines in it are indented, and so is a
        traceback or stack, which follows on lines of its own.
        """
        ...


class Logs(Protocol):
    """Keeps the logs of executions, each with a gap-free `seq` from 1.

    Beyond an execution's quota one line says so, and only perdure's own are kept.
    """

    def write(
        self,
        records: Sequence[NewLogRecord],
        *,
        after: int = 0,
        over: Callable[[bool], None] | None = None,
    ) -> int:
        """Take lines, in order; the ticket for `Journal.submit(after_logs=…)`.

        They are written whole or not at all, and not if the write with ticket `after` has failed.
        `over` is called on the engine's loop once it is over: with True where they are not kept,
        through no fault of theirs, and may be written again.
        May be called on the engine's loop; it does not wait.
        """
        ...

    def failed(self, ticket: int) -> bool:
        """Whether the write with this ticket, if it is over, has failed: its lines are not kept."""
        ...

    @property
    def unwritten(self) -> int:
        """How many lines are not yet on disk."""
        ...

    def newest(self, execution_id: str, limit: int) -> Sequence[LogRecord]:
        """The newest lines, in order."""
        ...

    def page(self, execution_id: str, query: LogQuery) -> LogPage:
        """A page of lines."""
        ...

    def parts(self, execution_id: str, file: LogFile) -> LogParts:
        """A file of the lines that are there now."""
        ...

    def of_batch(self, execution_id: str, batch: int) -> Sequence[str]:
        """Messages that workflow code logged in steps of `batch` or later, in order."""
        ...
