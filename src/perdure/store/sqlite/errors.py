"""What goes wrong with files, in words that say what, where and what to do.

StorageError (perdure.model.exceptions)
├── FolderError              the data folder cannot be used
├── NotADatabaseError        a file in it is no database, or a broken one
├── ForeignDatabaseError     a file in it is another program's database
├── NewerDatabaseError       a file in it was written by a newer perdure
├── ReadOnlyDatabaseError    a file in it may not be written
├── DiskFullError            there is no space left
└── ClosedError              the store is closed
"""

from pathlib import Path

import apsw

from perdure.model.exceptions import StorageError


class FolderError(StorageError):
    """The data folder cannot be used."""


class NotADatabaseError(StorageError):
    """A file in the data folder is no database, or a broken one."""


class ForeignDatabaseError(StorageError):
    """A file in the data folder is another program's database."""


class NewerDatabaseError(StorageError):
    """A file in the data folder was written by a newer perdure."""


class ReadOnlyDatabaseError(StorageError):
    """A file in the data folder may not be written."""


class DiskFullError(StorageError):
    """There is no space left on the disk."""


class ClosedError(StorageError):
    """The store is closed."""


_MEDIUM = (
    apsw.AuthError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.ConnectionClosedError,
    apsw.CorruptError,
    apsw.FormatError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.NoLFSError,
    apsw.NoMemError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)


def is_of_the_medium(error: Exception) -> bool:
    """Whether an error concerns the file as a whole, and so every change alike."""
    return isinstance(error, _MEDIUM)


def explained(error: Exception, path: Path) -> StorageError:
    """The StorageError for what went wrong with the file at `path`."""
    match error:
        case StorageError():
            return error
        case apsw.NotADBError() | apsw.CorruptError() | apsw.FormatError():
            return NotADatabaseError(
                f"{path} is no SQLite database, or is damaged ({error}): move it away, or restore "
                "it from a backup"
            )
        case apsw.FullError():
            return DiskFullError(f"no space is left for {path}: free some, then try again")
        case apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.AuthError():
            return ReadOnlyDatabaseError(
                f"{path} may not be written ({error}): make the file and its folder writable for "
                "this user, or choose another data folder"
            )
        case apsw.CantOpenError():
            return FolderError(
                f"{path} cannot be opened ({error}): check that its folder is writable for this "
                "user, or choose another data folder"
            )
        case apsw.BusyError():
            return StorageError(
                f"{path} is locked by another program ({error}): close what else has it open"
            )
        case apsw.IOError():
            return StorageError(f"reading or writing {path} failed ({error}): check the disk")
        case _:
            return StorageError(f"{path}: {type(error).__name__}: {error}")
