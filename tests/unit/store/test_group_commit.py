"""Groups: their order, what one failing change or commit does, and what a close or crash leaves."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw
import msgspec
import pytest

from perdure.model.identifiers import execution_id
from perdure.ports.journal import Change, Nothing, Outcome, TimerSet
from perdure.ports.logs import LogQuery, NewLogRecord
from perdure.store.sqlite import SqliteStore, journal_store
from perdure.store.sqlite.groups import GROUP_LIMIT
from perdure.store.sqlite.transaction import commit
from tests.unit.ports.subject import CREATED, batch, creation
from tests.unit.store.opened import PATIENCE_S, Loop, open_store

replace = msgspec.structs.replace
IDS = [execution_id((CREATED << 21) + number) for number in range(4)]


def line(id: str, message: str = "m") -> NewLogRecord:
    return NewLogRecord(id, CREATED, "INFO", None, message)


class Commits:
    """Commits, unless told to do something else before, for one of the two files."""

    def __init__(self, file: str) -> None:
        self.before: Callable[[apsw.Connection], None] = lambda connection: None
        self.count = 0
        self._file = file

    def __call__(self, connection: apsw.Connection) -> None:
        if Path(connection.filename).name == self._file:
            self.count += 1
            self.before(connection)
        commit(connection)


class Crash(BaseException):
    """The process is gone."""


def note(numbers: list[int], number: int, outcome: Outcome) -> None:
    numbers.append(number)


def failing(error: BaseException) -> Callable[[apsw.Connection], None]:
    def fail(connection: apsw.Connection) -> None:
        raise error

    return fail


class Setting:
    """A store without threads whose commits of one file are watched."""

    def __init__(self, folder: Path, file: str = "perdure.db") -> None:
        self.folder = folder
        self.loop = Loop()
        self.commits = Commits(file)
        self.store = open_store(folder, self.loop, commit=self.commits)
        self.told: list[Outcome] = []

    def submit(self, *changes: Change, after_logs: int = 0) -> None:
        for change in changes:
            self.store.journal.submit(change, self.told.append, after_logs=after_logs)

    def reopened(self) -> SqliteStore:
        self.store.abandon()
        self.store = open_store(self.folder, self.loop)
        return self.store

    @property
    def reasons(self) -> list[str]:
        return [outcome.reason for outcome in self.told]


def test_what_was_submitted_together_is_one_commit_and_one_call(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    order: list[int] = []
    for number in range(50):
        setting.store.journal.submit(Nothing(), partial(note, order, number))
    setting.submit(creation(IDS[0]), *[batch(IDS[0], seq) for seq in range(9)])
    setting.loop.run()
    assert order == list(range(50))
    assert setting.reasons == [""] * 10
    assert (setting.commits.count, setting.loop.scheduled) == (1, 1)
    setting.store.close()


def test_what_comes_during_a_commit_is_the_next_group(tmp_path: Path) -> None:
    loop, commits = Loop(), Commits("perdure.db")
    store = open_store(tmp_path, loop, threads=True, commit=commits)
    committing, go_on = threading.Event(), threading.Event()

    def hold(connection: apsw.Connection) -> None:
        committing.set()
        assert go_on.wait(PATIENCE_S)

    commits.before = hold
    told: list[Outcome] = []
    store.journal.submit(creation(IDS[0]), told.append)
    assert committing.wait(PATIENCE_S)
    for seq in range(20):
        store.journal.submit(batch(IDS[0], seq), told.append)
    assert store.journal.backlog == 21
    assert store.journal.row(IDS[0]) is None
    go_on.set()
    loop.run_until(lambda: len(told) == 21)
    assert all(outcome.done for outcome in told)
    assert (commits.count, loop.scheduled) == (2, 2)
    store.close()


@pytest.mark.parametrize("threads", [True, False])
def test_a_group_has_a_limit(tmp_path: Path, threads: bool) -> None:
    loop, commits = Loop(), Commits("perdure.db")
    store = open_store(tmp_path, loop, threads=threads, commit=commits)
    told: list[Outcome] = []
    for _ in range(GROUP_LIMIT + 1):
        store.journal.submit(Nothing(), told.append)
    loop.run_until(lambda: len(told) == GROUP_LIMIT + 1)
    assert commits.count >= 2
    store.close()


@pytest.mark.parametrize(
    "guilty",
    [
        creation("nonsense"),
        replace(batch(IDS[0], 1), timers_set=[TimerSet("/t", "soon", False)]),  # type: ignore[arg-type]
        replace(batch(IDS[0], 1), then=[creation("nonsense")]),
    ],
    ids=["at once", "half done", "in what follows"],
)
def test_a_change_that_fails_fails_alone(tmp_path: Path, guilty: Change) -> None:
    setting = Setting(tmp_path)
    setting.submit(creation(IDS[0]), batch(IDS[0], 0), guilty, batch(IDS[0], 1))
    setting.loop.run()
    assert setting.reasons == ["", "", "storage", ""]
    assert setting.told[2].detail
    store = setting.reopened()
    assert store.journal.batches(IDS[0], 0, 9) == [b'{"seq":0}', b'{"seq":1}']
    assert store.journal.next_due_ms() is None
    store.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [(apsw.FullError("full"), "no space is left"), (apsw.IOError("bad"), "check the disk")],
)
def test_a_commit_that_fails_fails_its_group_and_no_other(
    tmp_path: Path, error: Exception, words: str
) -> None:
    setting = Setting(tmp_path)
    setting.commits.before = failing(error)
    setting.submit(creation(IDS[0]), creation(IDS[1]))
    setting.loop.run()
    assert setting.reasons == ["storage", "storage"]
    assert words in setting.told[0].detail
    assert "perdure.db" in setting.told[0].detail
    setting.commits.before = lambda connection: None
    setting.submit(creation(IDS[0]))
    setting.loop.run()
    assert setting.told[2].done
    assert setting.store.journal.row(IDS[1]) is None
    assert setting.store.journal.backlog == 0
    setting.store.close()


def test_a_disk_that_fills_up_fails_the_group_and_is_used_again(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    connections: list[apsw.Connection] = []
    setting.commits.before = connections.append
    setting.submit(creation(IDS[0]))
    setting.loop.run()
    pages = connections[0].pragma("page_count")
    connections[0].pragma("max_page_count", pages)
    setting.submit(creation(IDS[1]), creation(IDS[2], inputs=b"x" * 100_000), creation(IDS[3]))
    setting.loop.run()
    assert setting.reasons == ["", "storage", "storage", "storage"]
    assert "no space is left" in setting.told[1].detail
    connections[0].pragma("max_page_count", pages + 100)
    setting.submit(creation(IDS[1]))
    setting.loop.run()
    assert setting.told[4].done
    setting.store.close()


@pytest.mark.parametrize("threads", [True, False])
def test_a_change_waits_for_its_log_lines(tmp_path: Path, threads: bool) -> None:
    loop, commits = Loop(), Commits("perdure.db")
    store = open_store(tmp_path, loop, threads=threads, commit=commits)
    found: list[int] = []
    commits.before = lambda connection: found.append(
        len(store.logs.page(IDS[0], LogQuery()).records)
    )
    told: list[Outcome] = []
    ticket = store.logs.write([line(IDS[0]), line(IDS[0])])
    store.journal.submit(creation(IDS[0]), told.append, after_logs=ticket)
    loop.run_until(lambda: bool(told))
    assert found == [2]
    assert (told[0].done, store.logs.unwritten) == (True, 0)
    store.close()


def test_a_change_fails_where_its_log_lines_failed(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "logs.db")
    setting.commits.before = failing(apsw.FullError("full"))
    ticket = setting.store.logs.write([line(IDS[0])])
    setting.submit(creation(IDS[0]), after_logs=ticket)
    setting.submit(creation(IDS[1]))
    setting.loop.run()
    assert setting.reasons == ["storage", ""]
    assert "log lines" in setting.told[0].detail
    setting.commits.before = lambda connection: None
    ticket = setting.store.logs.write([line(IDS[0], "again")])
    setting.submit(creation(IDS[0]), after_logs=ticket)
    setting.loop.run()
    assert setting.told[2].done
    (record,) = setting.store.logs.page(IDS[0], LogQuery()).records
    assert (record.seq, record.message) == (1, "again")
    setting.store.close()


def test_a_change_that_was_applied_fails_where_its_log_lines_fail_after_that(
    tmp_path: Path,
) -> None:
    setting = Setting(tmp_path, "logs.db")
    setting.commits.before = failing(apsw.FullError("full"))
    setting.submit(creation(IDS[0]))
    ticket = setting.store.logs.write([line(IDS[1])])
    setting.submit(creation(IDS[1]), after_logs=ticket)
    setting.submit(creation(IDS[2]))
    setting.loop.run()
    assert setting.reasons == ["", "storage", ""]
    journal = setting.reopened().journal
    assert [journal.row(id) is not None for id in IDS[:3]] == [True, False, True]
    setting.store.close()


def test_a_change_that_fails_is_told_once_its_log_lines_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, applied = Loop(), threading.Event()

    def apply_together(connection: apsw.Connection, changes: object) -> list[Outcome]:
        applied.set()
        raise apsw.FullError("full")

    def commit_after_that(connection: apsw.Connection) -> None:
        assert applied.wait(PATIENCE_S)
        commit(connection)

    monkeypatch.setattr(journal_store, "apply_together", apply_together)
    store = open_store(tmp_path, loop, threads=True, commit=commit_after_that)
    told: list[tuple[str, int]] = []
    ticket = store.logs.write([line(IDS[0])])
    store.journal.submit(
        creation(IDS[0]),
        lambda outcome: told.append((outcome.reason, store.logs.unwritten)),
        after_logs=ticket,
    )
    loop.run_until(lambda: bool(told))
    assert (told, store.logs.failed(ticket)) == ([("storage", 0)], False)
    store.close()


def test_lines_are_not_written_after_lines_that_failed(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "logs.db")
    logs, over = setting.store.logs, list[tuple[str, bool]]()

    def write(message: str, after: int) -> int:
        return logs.write(
            [line(IDS[0], message)], after=after, over=lambda again: over.append((message, again))
        )

    setting.commits.before = failing(apsw.FullError("full"))
    first = write("first", 0)
    setting.loop.run()
    setting.commits.before = lambda connection: None
    second = write("second", first)
    other = write("other", 0)
    setting.loop.run()
    third = write("third", second)
    setting.loop.run()
    assert [logs.failed(ticket) for ticket in (first, second, other, third)] == [
        True,
        True,
        False,
        True,
    ]
    assert over == [("first", True), ("second", True), ("other", False), ("third", True)]
    assert [record.message for record in logs.page(IDS[0], LogQuery()).records] == ["other"]
    assert logs.unwritten == 0
    setting.store.close()


def test_lines_that_fail_by_their_own_fault_are_not_to_be_repeated(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "logs.db")
    over: list[bool] = []
    setting.store.logs.write([line("nonsense")], over=over.append)
    setting.store.logs.write([line(IDS[0])], over=over.append)
    setting.loop.run()
    assert over == [False, False]
    setting.store.close()
    setting.store.logs.write([line(IDS[0])], over=over.append)
    setting.loop.run()
    assert over[2:] == [True]


def test_log_lines_that_fail_fail_alone_and_leave_no_gap(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "logs.db")
    logs = setting.store.logs
    tickets = [
        logs.write(lines)
        for lines in (
            [line(IDS[0], "a")],
            [line(IDS[0], "b"), line("nonsense")],
            [line(IDS[0], "c")],
        )
    ]
    for number, ticket in enumerate(tickets):
        setting.submit(creation(IDS[number]), after_logs=ticket)
    setting.loop.run()
    assert setting.reasons == ["", "storage", ""]
    assert [(r.seq, r.message) for r in logs.page(IDS[0], LogQuery()).records] == [
        (1, "a"),
        (2, "c"),
    ]
    setting.store.close()


def test_numbers_and_quota_of_a_log_go_on_after_a_restart(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.store.logs.write([line(IDS[0], "x" * 5_000)])
    setting.store.close()
    setting.store = open_store(tmp_path, setting.loop)
    setting.store.logs.write([line(IDS[0], "small"), line(IDS[0], "x" * 5_000)])
    setting.store.close()
    store = open_store(tmp_path, setting.loop)
    store.logs.write([line(IDS[0], "small")])
    setting.loop.run()
    records = store.logs.page(IDS[0], LogQuery()).records
    assert [(record.seq, record.level) for record in records] == [
        (1, "INFO"),
        (2, "INFO"),
        (3, "WARNING"),
    ]
    store.close()


@pytest.mark.parametrize("threads", [True, False])
def test_a_close_writes_what_was_taken(tmp_path: Path, threads: bool) -> None:
    loop = Loop()
    store = open_store(tmp_path, loop, threads=threads)
    told: list[Outcome] = []
    ticket = store.logs.write([line(IDS[0])])
    for change in (creation(IDS[0]), batch(IDS[0], 0)):
        store.journal.submit(change, told.append, after_logs=ticket)
    store.close()
    loop.run()
    assert [outcome.done for outcome in told] == [True, True]
    again = open_store(tmp_path, loop)
    assert again.journal.batches(IDS[0], 0, 9) == [b'{"seq":0}']
    assert len(again.logs.page(IDS[0], LogQuery()).records) == 1
    again.close()


@pytest.mark.parametrize("threads", [True, False])
def test_a_closed_store_takes_nothing(tmp_path: Path, threads: bool) -> None:
    loop = Loop()
    store = open_store(tmp_path, loop, threads=threads)
    store.close()
    told: list[Outcome] = []
    ticket = store.logs.write([line(IDS[0])])
    store.journal.submit(creation(IDS[0]), told.append, after_logs=ticket)
    loop.run()
    assert [outcome.reason for outcome in told] == ["storage"]
    assert store.logs.failed(ticket)
    assert (store.logs.unwritten, store.journal.backlog) == (0, 0)


def test_a_crash_before_the_commit_leaves_what_was_told(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.submit(creation(IDS[0]), batch(IDS[0], 0))
    setting.loop.run()
    setting.commits.before = failing(Crash())
    setting.submit(batch(IDS[0], 1), creation(IDS[1]))
    with pytest.raises(Crash):
        setting.loop.run()
    setting.submit(creation(IDS[2]))
    store = setting.reopened()
    setting.loop.run()
    assert setting.reasons == ["", ""]
    assert store.journal.batches(IDS[0], 0, 9) == [b'{"seq":0}']
    assert store.journal.newest_id() == IDS[0]
    store.close()


def test_a_callback_that_fails_keeps_no_other_from_being_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    setting = Setting(tmp_path)

    def bad(outcome: Outcome) -> None:
        raise ZeroDivisionError

    setting.store.journal.submit(Nothing(), bad)
    setting.submit(Nothing())
    setting.loop.run()
    assert setting.reasons == [""]
    assert "ZeroDivisionError" in caplog.text
    setting.store.close()


def test_a_loop_that_is_closed_does_not_stop_the_writing(tmp_path: Path) -> None:
    def closed(callback: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    store = SqliteStore.open(tmp_path, closed)
    store.journal.submit(creation(IDS[0]), lambda outcome: None)
    store.journal.submit(creation(IDS[1]), lambda outcome: None)
    store.close()
    again = open_store(tmp_path, Loop())
    assert again.journal.newest_id() == IDS[1]
    again.close()
