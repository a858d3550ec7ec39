"""The WAL stays bounded, deleted space is given back, and opening scans nothing."""

from pathlib import Path

import apsw
import msgspec
import pytest

from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.journal import Change, Nothing, Outcome, Prune, TimerSet
from perdure.store.sqlite import SqliteStore, upkeep
from tests.unit.ports.subject import CREATED, batch, creation
from tests.unit.store.opened import Loop, open_store

PAGE = 4_096
ID = execution_id(CREATED << 21)


class Setting:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.store: SqliteStore = open_store(folder, self.loop)
        self._seq = 0

    def act(self, *changes: Change) -> None:
        told: list[Outcome] = []
        for change in changes:
            self.store.journal.submit(change, told.append)
        self.loop.run()
        assert all(outcome.done for outcome in told), told

    def append(self, size: int) -> None:
        change = msgspec.structs.replace(batch(ID, self._seq), body=b"x" * size)
        self.act(change)
        self._seq += 1

    @property
    def wal_bytes(self) -> int:
        return (self.folder / "perdure.db-wal").stat().st_size

    @property
    def file_bytes(self) -> int:
        return (self.folder / "perdure.db").stat().st_size


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.setattr(upkeep, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr(upkeep, "TRUNCATE_PAGES", 400)
    monkeypatch.setattr(upkeep, "TRUNCATE_WAIT_MS", 1)
    monkeypatch.setattr(upkeep, "FREE_PAGES_KEPT", 10)
    monkeypatch.setattr(upkeep, "FREE_PAGES_STEP", 50)
    setting = Setting(tmp_path)
    setting.act(creation(ID))
    return setting


def test_the_wal_is_begun_anew_while_writing_goes_on(setting: Setting) -> None:
    for _ in range(100):
        setting.append(10 * PAGE)
    assert setting.wal_bytes < 100 * PAGE
    assert setting.file_bytes > 900 * PAGE
    setting.store.close()


def test_a_wal_that_a_reader_kept_is_cut(setting: Setting) -> None:
    reader = apsw.Connection(str(setting.folder / "perdure.db"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM executions").fetchall()
    for _ in range(60):
        setting.append(10 * PAGE)
    kept = setting.wal_bytes
    assert kept > 500 * PAGE
    reader.execute("COMMIT")
    reader.close()
    for _ in range(10):
        setting.append(10 * PAGE)
    assert setting.wal_bytes < 100 * PAGE
    setting.store.close()


def test_deleted_space_is_given_back(setting: Setting) -> None:
    for _ in range(100):
        setting.append(10 * PAGE)
    setting.act(msgspec.structs.replace(batch(ID, 100), new_inputs=b"{}"))
    before = setting.file_bytes
    for _ in range(40):
        setting.act(Prune(limit=10))
    for _ in range(10):
        setting.act(Nothing())
    setting.store.close()
    assert setting.file_bytes < before / 5


def test_upkeep_that_fails_is_logged(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(self: upkeep.Upkeep) -> None:
        raise apsw.IOError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(upkeep.Upkeep, "_checkpoint", failing)
        setting.append(100 * PAGE)
    assert "upkeep failed" in caplog.text
    setting.append(PAGE)
    setting.store.close()


def test_waiting_executions_cost_nothing_at_open(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    ids = [execution_id((CREATED << 21) + number) for number in range(2_000)]
    for id in ids:
        setting.store.journal.submit(creation(id), lambda outcome: None)
        waiting = msgspec.structs.replace(
            batch(id, 0), active=False, timers_set=[TimerSet("/t", CREATED * 2, True)]
        )
        setting.store.journal.submit(waiting, lambda outcome: None)
    setting.loop.run()
    setting.store.close()
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    def counted(connection: apsw.Connection) -> None:
        connection.set_progress_handler(count, 100)

    apsw.connection_hooks.append(counted)
    try:
        store = open_store(tmp_path, setting.loop)
        assert store.journal.active(None, 10) == []
        assert store.journal.due_timers(CREATED, 10) == []
        assert store.journal.pending(10) == []
    finally:
        apsw.connection_hooks.remove(counted)
    assert steps < 20
    row = store.journal.row(ids[-1])
    assert row is not None
    assert row.status is Status.RUNNING
    store.close()
