"""What is read of the log, against a model in Python: pages and files, filtered, in both orders."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perdure.model.execution import Level, LogRecord
from perdure.ports.journal import Nothing
from perdure.ports.logs import (
    STORY,
    FileForm,
    LogFile,
    LogFilter,
    LogQuery,
    NewLogRecord,
)
from perdure.wire.logs import log_record
from perdure.wire.times import moment
from tests.unit.ports.subject import CREATED, Suite

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
LEVELS: Sequence[Level] = ("INFO", "WARNING", "ERROR")

on_one_store = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    deadline=None,
    max_examples=60,
)


# -- the model ---------------------------------------------------------------------------------


def passes(line: NewLogRecord, wanted: LogFilter) -> bool:
    """Whether a filter lets a line pass."""
    text = wanted.text
    if text is None:
        has_text = True
    elif text.isascii():
        has_text = ascii_lower(text) in ascii_lower(line.message)
    else:
        has_text = text.casefold() in line.message.casefold()
    return (
        has_text
        and (wanted.levels is None or line.level in wanted.levels)
        and wanted.task in (None, line.task)
        and wanted.position in (None, line.position)
        and (wanted.since is None or line.timestamp >= wanted.since)
        and (wanted.until is None or line.timestamp < wanted.until)
    )


def ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def expected(
    lines: Sequence[NewLogRecord], wanted: LogFilter, *, descending: bool
) -> list[LogRecord]:
    """The lines that are wanted, in order."""
    records = [
        LogRecord(
            seq=seq,
            timestamp=line.timestamp,
            level=line.level,
            task=line.task,
            message=line.message,
            fields=None if line.fields is None else msgspec.Raw(line.fields),
        )
        for seq, line in enumerate(lines, 1)
        if passes(line, wanted)
    ]
    return records[::-1] if descending else records


def text_line(record: LogRecord) -> str:
    """A line of a text file."""
    fields = {} if record.fields is None else msgspec.json.decode(record.fields)
    below = [fields.pop(name) for name in ("traceback", "stack") if type(fields.get(name)) is str]
    shown = record.message + (f" {msgspec.json.encode(fields).decode()}" if fields else "")
    if record.task is not None:
        shown = f"[{record.task}] {shown}"
    shown = "\n".join([shown, *(text.rstrip("\n") for text in below)])
    indented = shown.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n    ")
    return f"{moment(record.timestamp)} {record.level} {indented}\n"


def whole_file(records: Sequence[LogRecord], form: FileForm) -> bytes:
    """What a file has to be, to the byte."""
    if form == "text":
        return "".join(map(text_line, records)).encode()
    objects = [msgspec.json.encode(log_record(record)) for record in records]
    if form == "ndjson":
        return b"".join(each + b"\n" for each in objects)
    return b"[\n" + b",\n".join(objects) + b"\n]\n" if objects else b"[]\n"


# -- what is tried -----------------------------------------------------------------------------

TASKS = ("observe", "Observe", "/odd", "")
POSITIONS = ("/observe", "/observe@1", "/gather/0/observe")
TEXTS = st.text(max_size=40) | st.text("aAbBäÄßÇé\0\n\r\"\\☔'%", max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    TEXTS | st.sampled_from(["traceback", "stack"]), VALUES, min_size=1, max_size=4
).map(msgspec.json.encode)
TIMES = st.integers(CREATED, CREATED + 5) | st.integers(0, LAST_MS)


@st.composite
def some_lines(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """The values of lines, without the execution's id."""
    return draw(
        st.lists(
            st.tuples(
                TIMES,
                st.sampled_from(LEVELS),
                st.none() | st.sampled_from(TASKS) | st.text(max_size=8),
                TEXTS,
                st.none() | FIELDS,
                st.just(STORY),
                st.none() | st.sampled_from(POSITIONS),
            ),
            max_size=12,
        )
    )


def filters() -> st.SearchStrategy[LogFilter]:
    return st.builds(
        LogFilter,
        levels=st.none() | st.lists(st.sampled_from(LEVELS), unique=True).map(tuple),
        task=st.none() | st.sampled_from(TASKS),
        position=st.none() | st.sampled_from(POSITIONS),
        since=st.none() | st.integers(CREATED, CREATED + 6),
        until=st.none() | st.integers(CREATED, CREATED + 6),
        text=st.none() | st.text("aAäÄsS\0", min_size=1, max_size=2),
    )


def a_line(
    message: str, fields: bytes | None = None, task: str | None = "observe"
) -> tuple[Any, ...]:
    return (CREATED, "INFO", task, message, fields, STORY, "/observe")


class LogReadsSuite(Suite):
    def written(self, values: Sequence[tuple[Any, ...]]) -> tuple[str, list[NewLogRecord]]:
        """A new execution with these lines on disk."""
        id = self.new_id()
        lines = [NewLogRecord(id, *each) for each in values]
        ticket = self.subject.logs.write(lines)
        told: list[object] = []
        self.journal.submit(Nothing(), told.append, after_logs=ticket)
        self.subject.settle(lambda: bool(told))
        return id, lines

    def file(self, id: str, file: LogFile) -> bytes:
        return b"".join(iter(self.subject.logs.parts(id, file).next, None))

    @on_one_store
    @given(some_lines(), filters(), st.booleans(), st.integers(1, 5))
    def test_pages_are_those_of_the_model(
        self, values: list[tuple[Any, ...]], wanted: LogFilter, descending: bool, limit: int
    ) -> None:
        id, lines = self.written(values)
        found: list[LogRecord] = []
        after: int | None = None
        while True:
            query = LogQuery(filter=wanted, descending=descending, after=after, limit=limit)
            page = self.subject.logs.page(id, query)
            assert len(page.records) <= limit
            found += page.records
            if page.next_after is None:
                break
            assert after is None or (page.next_after < after) is descending
            after = page.next_after
        assert found == expected(lines, wanted, descending=descending)

    @on_one_store
    @given(some_lines(), filters(), st.booleans(), st.sampled_from(["text", "json", "ndjson"]))
    @example([], LogFilter(), False, "json")
    @example([a_line("a\nb\r\nc\rd\n")], LogFilter(), False, "text")
    @example([a_line("nul \0 here", b'{"a":"\\u0000"}')], LogFilter(), True, "text")
    @example([a_line("", b'{"traceback":"T\\n  x\\n\\n","n":1}')], LogFilter(), False, "text")
    @example([a_line("", b'{"traceback":null,"stack":["s"]}')], LogFilter(), False, "text")
    def test_files_are_those_of_the_model(
        self, values: list[tuple[Any, ...]], wanted: LogFilter, descending: bool, form: FileForm
    ) -> None:
        id, lines = self.written(values)
        made = self.file(id, LogFile(form=form, filter=wanted, descending=descending))
        assert made == whole_file(expected(lines, wanted, descending=descending), form)
        if form == "json":
            assert isinstance(msgspec.json.decode(made), list)

    def test_a_line_for_people(self) -> None:
        id, _ = self.written(
            [
                a_line("wet", b'{"mm":3,"traceback":"Traceback\\n  a.py\\nBoom\\n"}'),
                a_line("two\nlines", None, None),
            ]
        )
        assert self.file(id, LogFile()).decode() == (
            '2026-02-23T16:30:00.000Z INFO [observe] wet {"mm":3}\n'
            "    Traceback\n"
            "      a.py\n"
            "    Boom\n"
            "2026-02-23T16:30:00.000Z INFO two\n"
            "    lines\n"
        )

    def test_fields_that_sqlite_does_not_read_are_shown_as_they_are(self) -> None:
        deep = b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
        id, _ = self.written([a_line("deep", deep)])
        assert self.file(id, LogFile()).endswith(b" INFO [observe] deep " + deep + b"\n")
        assert msgspec.json.encode("deep") in self.file(id, LogFile(form="ndjson"))

    def test_a_file_ends_with_the_line_that_was_last_when_it_began(self) -> None:
        id, _ = self.written([a_line(str(number)) for number in range(3)])
        ascending = self.subject.logs.parts(id, LogFile(form="ndjson"))
        descending = self.subject.logs.parts(id, LogFile(form="ndjson", descending=True))
        more = self.subject.logs.write([NewLogRecord(id, *a_line("late"))])
        told: list[object] = []
        self.journal.submit(Nothing(), told.append, after_logs=more)
        self.subject.settle(lambda: bool(told))
        for parts, seqs in ((ascending, [1, 2, 3]), (descending, [3, 2, 1])):
            made = b"".join(iter(parts.next, None)).splitlines()
            assert [msgspec.json.decode(each)["seq"] for each in made] == seqs

    @pytest.mark.parametrize("descending", [True, False])
    def test_after_the_last_page_there_is_none(self, descending: bool) -> None:
        id, _ = self.written([a_line("one"), a_line("two")])
        for after in (0, 1, 2, 3, 10**17):
            page = self.subject.logs.page(id, LogQuery(after=after, descending=descending))
            left = {seq for seq in (1, 2) if (seq < after if descending else seq > after)}
            assert {record.seq for record in page.records} == left
            assert page.next_after is None

    def test_what_is_no_execution_has_no_lines(self) -> None:
        for id in ("nonsense", self.new_id()):
            assert self.subject.logs.page(id, LogQuery()).records == []
            assert self.file(id, LogFile()) == b""
            assert self.file(id, LogFile(form="json")) == b"[]\n"
            parts = self.subject.logs.parts(id, LogFile())
            assert [parts.next() for _ in range(3)] == [b"", None, None]
