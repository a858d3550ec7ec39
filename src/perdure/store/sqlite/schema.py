"""The schema of a database file: numbered migrations, and who may open it.

`migrations/<database>/0001_….sql` and so on are applied in order, each in a transaction of its
own together with its number (`user_version`). A file of a newer schema is refused, as is a
database that has no mark (`application_id`) of ours: nothing of either is changed.
"""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import apsw

from perdure.store.sqlite.errors import ForeignDatabaseError, NewerDatabaseError

Database = Literal["journal", "logs"]

APPLICATION_IDS: dict[Database, int] = {
    "journal": int.from_bytes(b"pdur"),
    "logs": int.from_bytes(b"plog"),
}


def migrations(database: Database) -> list[str]:
    """The migrations in order: the n-th leads to version n."""
    folder = files(__package__).joinpath("migrations", database)
    found = sorted((entry.name, entry) for entry in folder.iterdir())
    for number, (name, _) in enumerate(found, start=1):
        if not name.startswith(f"{number:04}_") or not name.endswith(".sql"):
            raise ValueError(f"migrations/{database}/{name} should be {number:04}_….sql")
    return [entry.read_text(encoding="utf-8") for _, entry in found]


def check(connection: apsw.Connection, database: Database, path: Path) -> None:
    """Raise ForeignDatabaseError or NewerDatabaseError for a file that is not ours to change."""
    mark = connection.pragma("application_id")
    version = connection.pragma("user_version")
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
    if mark != APPLICATION_IDS[database] and (mark or version or not empty):
        raise ForeignDatabaseError(
            f"{path} is a database of another program: choose another data folder"
        )
    newest = len(migrations(database))
    if version > newest:
        raise NewerDatabaseError(
            f"{path} has schema version {version}, and this perdure knows up to {newest}: "
            "run the newer perdure that wrote it, or choose another data folder"
        )


def migrate(connection: apsw.Connection, database: Database) -> None:
    """Bring a file that passed `check` to the newest version.

    Raises apsw's errors where a migration fails: it is undone, those before it stay.
    """
    version = connection.pragma("user_version")
    for number, script in enumerate(migrations(database)[version:], start=version + 1):
        with connection:
            connection.execute(script)
            connection.pragma("application_id", APPLICATION_IDS[database])
            connection.pragma("user_version", number)
