"""One transaction for a group: together if possible, else each alone, and never in part.

- An item that fails by its own fault fails alone: the group is undone, and each item is applied
  again in a savepoint of its own. So it is too where, before the commit, the group turns out to
  have items that must not be recorded.
- An error of the medium (disk full, I/O), or of the commit, fails every item: none is recorded.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw

from perdure.store.sqlite.errors import is_of_the_medium

_log = logging.getLogger("perdure.store")

Item = TypeVar("Item")
Result = TypeVar("Result")
Commit = Callable[[apsw.Connection], None]
"""Commits the transaction that a connection is in: on disk when it returns."""


def commit(connection: apsw.Connection) -> None:
    """Commit, with fsync. Raises apsw's errors; then nothing is recorded."""
    connection.execute("COMMIT")


class Transactions:
    """Applies groups of items through one connection.

    `undone` is called whenever something that was applied is not recorded: what `apply` keeps
    in memory of the file must be forgotten then.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        commit: Commit,
        undone: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._commit = commit
        self._undone = undone

    def write(
        self,
        items: Sequence[Item],
        together: Callable[[Sequence[Item]], Sequence[Result]],
        alone: Callable[[Item], Result],
        may_commit: Callable[[], bool] = lambda: True,
    ) -> Sequence[Result | Exception]:
        """Apply and commit; for each item its result, or the error for which it is not recorded.

        Items are applied `together`, and each `alone` if that raises, or if `may_commit`, which is
        asked after it, says no; `alone` then has to refuse those that must not be recorded.
        """
        results: Sequence[Result | Exception]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                results = together(items)
                as_one = may_commit()
            except Exception as error:
                if is_of_the_medium(error):
                    raise
                may_commit()
                as_one = False
            if not as_one:
                self._roll_back()
                self._connection.execute("BEGIN IMMEDIATE")
                results = [self._apply_alone(item, alone) for item in items]
            self._commit(self._connection)
        except Exception as error:
            self._roll_back()
            return [error] * len(items)
        return results

    def _apply_alone(self, item: Item, alone: Callable[[Item], Result]) -> Result | Exception:
        self._connection.execute("SAVEPOINT alone")
        result: Result | Exception
        try:
            result = alone(item)
        except Exception as error:
            if is_of_the_medium(error):
                raise
            self._connection.execute("ROLLBACK TO alone")
            self._undone()
            result = error
        self._connection.execute("RELEASE alone")
        return result

    def _roll_back(self) -> None:
        self._undone()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as error:
            _log.error("%s: undoing a transaction failed: %s", self._connection.filename, error)
