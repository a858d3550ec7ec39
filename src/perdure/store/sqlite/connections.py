"""Connections: one that writes a file, and one per thread that reads it.

The writer's is in WAL mode with `synchronous=FULL`: what it committed survives loss of power.
Readers see what is committed, never wait for the writer, and never checkpoint.
"""

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import apsw

from perdure.store.sqlite.errors import (
    ClosedError,
    FolderError,
    ReadOnlyDatabaseError,
    explained,
)
from perdure.store.sqlite.schema import Database, check, migrate

BUSY_MS = 5_000
"""How long to wait for a program from outside that has the file locked."""

WRITER_CACHE_KIB = 32 * 1024
READER_CACHE_KIB = 16 * 1024
"""Holds the inner pages of the tree of ten million executions; taken only as they are read."""
JOURNAL_SIZE_LIMIT_BYTES = 16 * 1024 * 1024
"""What stays of the WAL file once it is written back and begun anew."""


def make_folder(folder: Path) -> None:
    """Make the data folder if it is not there. Raises FolderError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise FolderError(
            f"{folder} is no folder, or is below a file: choose another data folder"
        ) from None
    except OSError as error:
        raise FolderError(
            f"the data folder {folder} cannot be made ({error.strerror}): make it writable for "
            "this user, or choose another one"
        ) from None


def open_writer(path: Path, database: Database) -> apsw.Connection:
    """The connection that writes a file, which is made or brought up to date.

    Raises a StorageError that says what to do where the file cannot be used.
    """
    try:
        connection = apsw.Connection(str(path))
    except apsw.Error as error:
        raise explained(error, path) from error
    try:
        _set_up_writer(connection, path, database)
    except (apsw.Error, OSError) as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up_writer(connection: apsw.Connection, path: Path, database: Database) -> None:
    connection.set_busy_timeout(BUSY_MS)
    if connection.readonly("main"):
        raise ReadOnlyDatabaseError(
            f"{path} may not be written: make it writable for this user, or choose another data "
            "folder"
        )
    check(connection, database, path)
    connection.pragma("auto_vacuum", "INCREMENTAL")
    mode = connection.pragma("journal_mode", "WAL")
    if mode != "wal":
        raise FolderError(
            f"{path} is on a file system without shared memory (its journal mode stays {mode}): "
            "choose a data folder on a local disk"
        )
    connection.pragma("synchronous", "FULL")
    connection.pragma("wal_autocheckpoint", 0)
    connection.pragma("journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)
    connection.pragma("cache_size", -WRITER_CACHE_KIB)
    migrate(connection, database)


class Readers:
    """A read-only connection per thread, opened when the thread first reads.

    `set_up` is given each new one: functions and limits that its statements need.
    """

    def __init__(
        self,
        path: Path,
        set_up: Callable[[apsw.Connection], None] = lambda connection: None,
    ) -> None:
        self._path = path
        self._set_up = set_up
        self._local = threading.local()
        self._open: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def connection(self) -> apsw.Connection:
        """This thread's connection. Raises ClosedError after `close`."""
        if self._closed:
            raise ClosedError(f"{self._path} is closed")
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def close(self) -> None:
        """Close the connections of all threads; none may be reading."""
        self._closed = True
        with self._lock:
            for connection in list(self._open):
                connection.close()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_MS)
        connection.pragma("wal_autocheckpoint", 0)
        connection.pragma("cache_size", -READER_CACHE_KIB)
        self._set_up(connection)
        with self._lock:
            self._open.add(connection)
        return connection
