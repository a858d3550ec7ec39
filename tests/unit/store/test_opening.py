"""A folder or file that cannot be used is refused in words that say what, where and what to do."""

import hashlib
from functools import partial
from pathlib import Path

import apsw
import pytest

from perdure.model.exceptions import StorageError
from perdure.store.sqlite.errors import (
    ClosedError,
    DiskFullError,
    FolderError,
    ForeignDatabaseError,
    NewerDatabaseError,
    NotADatabaseError,
    ReadOnlyDatabaseError,
    explained,
)
from tests.unit.ports.subject import creation
from tests.unit.store.opened import Loop, open_store

FILES = ["perdure.db", "logs.db"]
ID = "exec-0000000000001"


def refused(folder: Path, error: type[StorageError], *words: str) -> None:
    """Opening fails with this error, whose text has the words."""
    with pytest.raises(error) as caught:
        open_store(folder, Loop())
    assert type(caught.value) is error
    for word in words:
        assert word in str(caught.value)


def filled(folder: Path) -> None:
    open_store(folder, Loop()).close()


def test_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    filled(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("")
    refused(file, FolderError, str(file), "is no folder", "choose another")
    refused(file / "below", FolderError, str(file / "below"), "choose another")


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    refused(tmp_path / "data", FolderError, "Permission denied", "writable")


@pytest.mark.parametrize("file", FILES)
def test_a_folder_in_place_of_a_file(tmp_path: Path, file: str) -> None:
    (tmp_path / file).mkdir()
    refused(tmp_path, FolderError, str(tmp_path / file), "cannot be opened")


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_database(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("dear diary, " * 1_000)
    refused(tmp_path, NotADatabaseError, str(tmp_path / file), "backup")


@pytest.mark.parametrize("file", FILES)
def test_another_programs_database_is_left_alone(tmp_path: Path, file: str) -> None:
    other = apsw.Connection(str(tmp_path / file))
    other.execute("CREATE TABLE diary (day TEXT)")
    other.close()
    digest = hashlib.sha256((tmp_path / file).read_bytes()).digest()
    refused(tmp_path, ForeignDatabaseError, str(tmp_path / file), "another program")
    assert hashlib.sha256((tmp_path / file).read_bytes()).digest() == digest


def test_the_two_files_are_told_apart(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "logs.db").replace(tmp_path / "perdure.db")
    refused(tmp_path, ForeignDatabaseError, "perdure.db")


@pytest.mark.parametrize("file", FILES)
def test_a_newer_database_is_left_alone(tmp_path: Path, file: str) -> None:
    filled(tmp_path)
    newer = apsw.Connection(str(tmp_path / file))
    newer.pragma("user_version", 9_999)
    newer.close()
    refused(tmp_path, NewerDatabaseError, str(tmp_path / file), "9999", "newer perdure")


def test_a_file_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    read_only = partial(apsw.Connection, flags=apsw.SQLITE_OPEN_READONLY)
    monkeypatch.setattr(apsw, "Connection", read_only)
    refused(tmp_path, ReadOnlyDatabaseError, str(tmp_path / "perdure.db"), "writable")


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = apsw.Connection

    def small(path: str) -> apsw.Connection:
        connection = connect(path)
        connection.pragma("max_page_count", 4)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(apsw, "Connection", small)
        refused(tmp_path, DiskFullError, str(tmp_path / "perdure.db"), "no space is left")
    filled(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.BusyError("locked"), "locked by another program"),
        (apsw.IOError("disk I/O error"), "check the disk"),
        (apsw.PermissionsError("no"), "may not be written"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_other_errors_name_the_file_and_what_happened(error: Exception, words: str) -> None:
    said = str(explained(error, Path("/data/perdure.db")))
    assert words in said
    assert "/data/perdure.db" in said


def test_a_closed_store_is_not_read(tmp_path: Path) -> None:
    loop = Loop()
    store = open_store(tmp_path, loop)
    store.journal.submit(creation(ID), lambda outcome: None)
    loop.run()
    assert store.journal.row(ID)
    store.close()
    with pytest.raises(ClosedError):
        store.journal.row(ID)
    with pytest.raises(ClosedError):
        store.logs.newest(ID, 1)
