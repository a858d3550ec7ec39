"""Which writes are settled: on disk, or failed. They are settled in the order of their numbers."""

import threading
from collections.abc import Sequence

RANGES_LIMIT = 1_000


class Tickets:
    """Written by one thread, waited for by others.

    Failed tickets are kept as ranges. Beyond `RANGES_LIMIT` the two oldest become one, with what
    is between them: a change is rather refused than kept without its log.
    """

    def __init__(self) -> None:
        self._settled = 0
        self._failed: list[tuple[int, int]] = []
        self._changed = threading.Condition()

    def settle(self, last: int, failed: Sequence[int]) -> None:
        """Everything up to `last` is on disk, but for `failed`, in order."""
        with self._changed:
            for ticket in failed:
                self._add(ticket)
            self._settled = last
            self._changed.notify_all()

    def wait(self, ticket: int) -> None:
        """Wait until `ticket` is settled."""
        with self._changed:
            self._changed.wait_for(lambda: self._settled >= ticket)

    def failed(self, ticket: int) -> bool:
        """Whether a settled ticket has failed."""
        with self._changed:
            return any(first <= ticket <= last for first, last in self._failed)

    def _add(self, ticket: int) -> None:
        if self._failed and self._failed[-1][1] == ticket - 1:
            self._failed[-1] = (self._failed[-1][0], ticket)
        else:
            self._failed.append((ticket, ticket))
        if len(self._failed) > RANGES_LIMIT:
            (first, _), (_, last) = self._failed[:2]
            self._failed[:2] = [(first, last)]
