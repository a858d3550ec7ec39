"""Many rows in one statement, as a JSON array of arrays.

A statement lets other threads run and then waits for them; few long ones wait less than many short
ones. The values of a single row may take the same way, so that a rule is written down once.
"""

from collections.abc import Sequence

import apsw
import msgspec

ROW_BYTES = 16_384
ROWS_LIMIT = 256
"""What one statement is given: bytes of a value, and rows."""

Value = int | str | bool | None
Row = tuple[Value, ...]

_encoded = msgspec.json.Encoder().encode


class ApartError(Exception):
    """A change is refused that was applied with others: each has to be applied alone."""


def as_json(rows: Sequence[Row]) -> str:
    """Rows as statements take them."""
    return _encoded(rows).decode()


def make(connection: apsw.Connection, statement: str, rows: list[Row]) -> None:
    """Run a statement that changes a row for each of `rows`, and clear them.

    Raises ApartError where it has changed fewer.
    """
    if rows:
        connection.execute(statement, (as_json(rows),))
        if connection.changes() != len(rows):
            raise ApartError
        rows.clear()
