"""Reads of the log: the newest lines, pages, and files in parts.

Lines are numbered without gaps, so a span of numbers says how many lines are looked at: every
statement reads a span of bounded length, and nothing is open between two.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec

from perdure.model.execution import LogRecord
from perdure.model.identifiers import execution_key
from perdure.ports.logs import FileForm, LogFile, LogFilter, LogPage, LogParts, LogQuery
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.statements import load

EXAMINED_LINES = 20_000
"""Lines that are looked at for one page, or one part of a file."""
PAGE_BYTES = 4 * 1024 * 1024
"""Messages and fields after which a page ends, and lines in the file after which it is not looked
further."""
SPAN_LINES = 1_000
"""Lines that are looked at by one statement for a page."""

PART_BYTES = 256 * 1024
"""What parts of a file are meant to have."""
PART_LIMIT_BYTES = 4 * 1024 * 1024
"""What a part may have. No line has more: see the limits in perdure.worker.records."""
PART_CACHE_KIB = 512
"""A file is read once from end to end: little of it is read again."""
_FIRST_SPAN_LINES = 500

_SQL = load("log_reads.sql")
_PAGE = {False: _SQL["page"], True: _SQL["page_descending"]}
_PART: Mapping[tuple[FileForm, bool], str] = {
    ("text", False): _SQL["text"],
    ("text", True): _SQL["text_descending"],
    ("json", False): _SQL["json"],
    ("json", True): _SQL["json_descending"],
    ("ndjson", False): _SQL["json"],
    ("ndjson", True): _SQL["json_descending"],
}
_FRAMES: Mapping[FileForm, tuple[bytes, bytes, bytes, bytes]] = {
    "text": (b"", b"\n", b"\n", b""),
    "json": (b"[\n", b",\n", b"\n]\n", b"[]\n"),
    "ndjson": (b"", b"\n", b"\n", b""),
}
"""What is before the first line, between two, after the last, and where there is none."""
_LINE_END = b"\xff"
"""Stands between lines of text until newlines within them are indented: no UTF-8 has this byte."""
_INDENTED = b"\n    "


class LogReads:
    """Reads in the thread that calls."""

    def __init__(self, path: Path) -> None:
        self._readers = Readers(path, add_functions)
        self._part_readers = Readers(path, _set_up_for_parts)

    def newest(self, execution_id: str, limit: int) -> Sequence[LogRecord]:
        """The newest lines, in order."""
        values = (execution_key(execution_id), limit)
        connection = self._readers.connection()
        found: list[Any] = connection.execute(_SQL["newest"], values).fetchall()
        found.reverse()
        return [_record(row) for row in found]

    def of_batch(self, execution_id: str, batch: int) -> Sequence[str]:
        """Messages that workflow code logged in steps of `batch` or later, in order."""
        connection = self._readers.connection()
        values = (execution_key(execution_id), batch)
        found: list[Any] = connection.execute(_SQL["of_batch"], values).fetchall()
        return [message for (message,) in found]

    def page(self, execution_id: str, query: LogQuery) -> LogPage:
        """A page of lines; at most EXAMINED_LINES are looked at for it.

        A page of 1,000 lines takes 1 to 2 ms; looking at EXAMINED_LINES in vain takes 3 to 9 ms,
        and up to 20 where a text beyond ASCII is looked for.
        """
        connection = self._readers.connection()
        key = execution_key(execution_id)
        left = Numbers.of(_last(connection, key), query.descending, query.after)
        values = _values(key, query.filter)
        records: list[LogRecord] = []
        found_bytes = 0
        kept_at_first = _kept(connection, key, left.next)
        examined = 0
        while span := left.take(min(SPAN_LINES, EXAMINED_LINES - examined)):
            lowest, highest = span
            values |= {"lowest": lowest, "highest": highest, "limit": query.limit - len(records)}
            with closing(connection.execute(_PAGE[query.descending], values)) as rows:
                for row in rows:
                    records.append(_record(row))
                    found_bytes += len(row[4]) + len(row[5] or b"")
                    if len(records) == query.limit or found_bytes >= PAGE_BYTES:
                        return LogPage(records=records, next_after=left.unless_last(row[0]))
            examined += highest - lowest + 1
            last = lowest if query.descending else highest
            grown_bytes = abs(_kept(connection, key, last) - kept_at_first)
            if examined >= EXAMINED_LINES or grown_bytes >= PAGE_BYTES:
                return LogPage(records=records, next_after=left.unless_last(last))
        return LogPage(records=records)

    def parts(self, execution_id: str, file: LogFile) -> "FileParts":
        """A file of the lines that are there now."""
        return FileParts(self._part_readers, execution_key(execution_id), file)

    def close(self) -> None:
        """Close the connections of all threads; none may be reading."""
        self._readers.close()
        self._part_readers.close()


class FileParts(LogParts):
    """Makes the parts of a file, each with one statement that puts its lines together.

    Python sees no single line: apsw lets other threads run until the whole part is there. How many
    lines a statement looks at follows from how long the last part became; where a part gets longer
    than PART_LIMIT_BYTES, SQLite gives up, and it is tried with fewer.
    """

    def __init__(self, readers: Readers, key: int | None, file: LogFile) -> None:
        self._readers = readers
        self._sql = _PART[file.form, file.descending]
        self._before, self._between, self._after, self._empty = _FRAMES[file.form]
        self._is_text = file.form == "text"
        separator = _LINE_END if self._is_text else self._between
        self._values = _values(key, file.filter) | {"separator": separator}
        self._left = Numbers.of(_last(readers.connection(), key), file.descending)
        self._span_lines = _FIRST_SPAN_LINES
        self._begun = False
        self._ended = False

    def next(self) -> bytes | None:
        """The next part, which may be empty; None after the last."""
        lines = self._next_lines()
        if lines:
            joined = (self._between if self._begun else self._before) + lines
            self._begun = True
            return joined
        if lines is not None or self._ended:
            return lines
        self._ended = True
        return self._after if self._begun else self._empty

    def _next_lines(self) -> bytes | None:
        """The lines of the next span, joined; None where no span is left."""
        while span := self._left.span(self._span_lines):
            self._values["lowest"], self._values["highest"] = span
            try:
                found = self._readers.connection().execute(self._sql, self._values).get
            except apsw.TooBigError:
                if self._span_lines == 1:
                    raise
                self._span_lines = max(self._span_lines // 8, 1)
                continue
            self._left.take(self._span_lines)
            lines = b"" if found is None else bytes(found)
            if self._is_text:
                lines = _indented(lines)
            fitting = self._span_lines * PART_BYTES // max(len(lines), 1)
            self._span_lines = max(min(fitting, self._span_lines * 4, EXAMINED_LINES), 1)
            return lines
        return None


def _indented(lines: bytes) -> bytes:
    """Lines of text between _LINE_ENDs, with every kind of newline within them indented."""
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return lines.replace(b"\n", _INDENTED).replace(_LINE_END, b"\n")


class Numbers:
    """The numbers of lines that are left to be read, in the order in which they are."""

    def __init__(self, lowest: int, highest: int, *, descending: bool) -> None:
        self._lowest = lowest
        self._highest = highest
        self._descending = descending

    @classmethod
    def of(cls, last: int, descending: bool, after: int | None = None) -> "Numbers":
        """Those of a log that ends with `last`, which come after `after` in the order."""
        if after is None:
            return cls(1, last, descending=descending)
        if descending:
            return cls(1, min(after - 1, last), descending=True)
        return cls(after + 1, last, descending=False)

    @property
    def next(self) -> int:
        """The number that is next, if one is left."""
        return self._highest if self._descending else self._lowest

    def span(self, count: int) -> tuple[int, int] | None:
        """The next so many, from the lowest to the highest; None where none is left."""
        if self._lowest > self._highest or count <= 0:
            return None
        if self._descending:
            return max(self._highest - count + 1, self._lowest), self._highest
        return self._lowest, min(self._lowest + count - 1, self._highest)

    def take(self, count: int) -> tuple[int, int] | None:
        """The next so many, which are then no longer left."""
        span = self.span(count)
        if span is not None and self._descending:
            self._highest = span[0] - 1
        elif span is not None:
            self._lowest = span[1] + 1
        return span

    def unless_last(self, number: int) -> int | None:
        """The number, or None where none comes after it."""
        end = 1 if self._descending else self._highest
        return None if number == end else number


def add_functions(connection: apsw.Connection) -> None:
    """Add the functions that the statements call."""
    connection.create_scalar_function("has_folded", _has_folded, 2, deterministic=True)


def _set_up_for_parts(connection: apsw.Connection) -> None:
    add_functions(connection)
    connection.pragma("cache_size", -PART_CACHE_KIB)
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, PART_LIMIT_BYTES)


def _has_folded(*values: Any) -> bool:
    message, text = values
    found: bool = text in message.casefold()
    return found


def _last(connection: apsw.Connection, key: int | None) -> int:
    last: int | None = connection.execute(_SQL["last"], (key,)).get
    return last or 0


def _kept(connection: apsw.Connection, key: int | None, seq: int) -> int:
    kept: int | None = connection.execute(_SQL["kept"], (key, seq)).get
    return kept or 0


def _values(key: int | None, wanted: LogFilter) -> dict[str, Any]:
    text = wanted.text
    is_ascii = text is None or text.isascii()
    return {
        "key": key,
        "levels": None if wanted.levels is None else ",".join(wanted.levels),
        "task": wanted.task,
        "position": wanted.position,
        "since": wanted.since,
        "until": wanted.until,
        "text": text.lower() if text is not None and is_ascii else None,
        "folded": text.casefold() if text is not None and not is_ascii else None,
    }


def _record(row: Any) -> LogRecord:
    seq, time, level, task, message, fields = row
    return LogRecord(
        seq=seq,
        timestamp=time,
        level=level,
        task=task,
        message=message,
        fields=None if fields is None else msgspec.Raw(fields),
    )
