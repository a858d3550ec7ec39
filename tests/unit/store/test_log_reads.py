"""How much one read of the log looks at, holds and leaves open; and logs of before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from perdure.model.identifiers import execution_id
from perdure.ports.logs import STORY, LogFile, LogFilter, LogQuery, NewLogRecord
from perdure.store.sqlite import SqliteStore, log_reads, schema
from perdure.store.sqlite.connections import open_writer
from perdure.store.sqlite.schema import migrations
from perdure.store.sqlite.store import LOGS_FILE
from tests.unit.ports.subject import CREATED
from tests.unit.store.opened import Loop, open_store

ID = execution_id(CREATED << 21)
IN_VAIN = LogFilter(task="nobody")
Write = Callable[[Sequence[str]], None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path, Loop())
    yield opened
    opened.close()


@pytest.fixture
def write(store: SqliteStore) -> Write:
    def write(messages: Sequence[str], batch: int = STORY) -> None:
        ticket = store.logs.write(
            [NewLogRecord(ID, CREATED, "INFO", None, text, None, batch) for text in messages]
        )
        store.logs.wait(ticket)

    return write


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_looks_at_so_many_lines_and_goes_on_after_them(
    store: SqliteStore, write: Write, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "EXAMINED_LINES", 10)
    monkeypatch.setattr(log_reads, "SPAN_LINES", 4)
    write([str(number) for number in range(25)])
    ends: list[int | None] = []
    after: int | None = None
    while not ends or after is not None:
        query = LogQuery(filter=IN_VAIN, descending=descending, after=after)
        page = store.logs.page(ID, query)
        assert page.records == []
        after = page.next_after
        ends.append(after)
    assert ends == ([16, 6, None] if descending else [10, 20, None])


def test_where_the_last_line_was_looked_at_nothing_is_left(
    store: SqliteStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "EXAMINED_LINES", 10)
    write([str(number) for number in range(10)])
    for descending in (False, True):
        query = LogQuery(filter=IN_VAIN, descending=descending)
        assert store.logs.page(ID, query).next_after is None


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_ends_when_it_is_large(
    store: SqliteStore, write: Write, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "PAGE_BYTES", 100)
    write(["x" * 40] * 7)
    counts: list[int] = []
    after: int | None = None
    while not counts or after is not None:
        page = store.logs.page(ID, LogQuery(descending=descending, after=after))
        after = page.next_after
        counts.append(len(page.records))
    assert counts == [3, 3, 1]


def test_large_lines_that_are_not_wanted_end_a_page_too(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "PAGE_BYTES", 1_000)
    monkeypatch.setattr(log_reads, "SPAN_LINES", 2)
    lines = [NewLogRecord(ID, CREATED, "INFO", "observe", "x" * 400) for _ in range(9)]
    store.logs.wait(store.logs.write(lines))
    assert store.logs.page(ID, LogQuery(filter=IN_VAIN)).next_after == 4
    assert store.logs.page(ID, LogQuery(filter=IN_VAIN, after=4)).next_after == 8
    assert store.logs.page(ID, LogQuery(filter=IN_VAIN, descending=True)).next_after == 6


def test_parts_have_about_the_same_size_whatever_the_lines_have(
    store: SqliteStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "PART_BYTES", 10_000)
    monkeypatch.setattr(log_reads, "PART_LIMIT_BYTES", 50_000)
    messages = ["tiny"] * 3_000 + ["x" * 30_000] * 5 + ["tiny"] * 3_000
    write(messages)
    parts = list(iter(store.logs.parts(ID, LogFile()).next, None))
    lines = b"".join(parts).decode().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == messages
    assert max(len(part) for part in parts) <= 50_000 + 1
    typical = [len(part) for part in parts if len(part) > 5_000]
    assert len(typical) > 15


def test_a_part_looks_at_so_many_lines(
    store: SqliteStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reads, "EXAMINED_LINES", 700)
    write(["x"] * 2_500)
    parts = list(iter(store.logs.parts(ID, LogFile(filter=IN_VAIN)).next, None))
    assert parts == [b""] * 5


def test_between_two_parts_the_wal_can_be_begun_anew(
    store: SqliteStore, write: Write, tmp_path: Path
) -> None:
    write(["x"] * 2_500)
    parts = store.logs.parts(ID, LogFile())
    assert parts.next()
    write(["y"])
    with closing(apsw.Connection(str(tmp_path / LOGS_FILE))) as writer:
        assert writer.pragma("journal_mode") == "wal"
        writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    assert (tmp_path / f"{LOGS_FILE}-wal").stat().st_size == 0
    rest = b"".join(iter(parts.next, None))
    assert rest.endswith(b"INFO x\n")


def test_lines_of_before_positions_are_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = migrations("logs")[:1]
    with monkeypatch.context() as before:
        before.setattr(schema, "migrations", lambda database: first)
        connection = open_writer(tmp_path / LOGS_FILE, "logs")
    values = (CREATED << 21, CREATED)
    connection.execute(
        "INSERT INTO lines VALUES (?, 1, ?, 'INFO', 'observe', 'old', NULL, -1, 70)", values
    )
    connection.close()
    store = open_store(tmp_path, Loop())
    line = NewLogRecord(ID, CREATED, "INFO", "observe", "new", position="/observe")
    store.logs.wait(store.logs.write([line]))
    by_name = store.logs.page(ID, LogQuery(filter=LogFilter(task="observe")))
    assert [record.message for record in by_name.records] == ["old", "new"]
    by_position = store.logs.page(ID, LogQuery(filter=LogFilter(position="/observe")))
    assert [record.message for record in by_position.records] == ["new"]
    assert store.logs.parts(ID, LogFile()).next() == (
        b"2026-02-23T16:30:00.000Z INFO [observe] old\n2026-02-23T16:30:00.000Z INFO [observe] new"
    )
    store.close()
