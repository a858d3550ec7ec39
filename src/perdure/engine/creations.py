"""Holds a new execution's creation back until its first batch has come, so that both are one group.

A new execution is given to its worker before its creation is on disk; its first batch is there a
moment later. Written together they cost one commit in place of two. The creation does not wait for
longer than `LONGEST_S`: what its worker makes of it may take its time, an answer to its caller not.

Invariants:
- Changes take effect in the order in which they would have without this: whatever else is
  submitted comes after the creations that are held at that time, a batch after its own creation.
- Every creation is submitted, once.
"""

import asyncio
from collections.abc import Callable

from perdure.ports.journal import AppendBatch, Change, CreateExecution, Journal, Outcome

LONGEST_S = 0.005

Done = Callable[[Outcome], None]


class Creations:
    """Submits to the journal, creations that may be held back among it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._young: dict[str, tuple[CreateExecution, Done]] = {}
        """Held since the last look at them."""
        self._old: dict[str, tuple[CreateExecution, Done]] = {}
        self._looking = False

    def hold(self, create: CreateExecution, done: Done) -> None:
        """Submit a creation, with the first batch of its execution if that comes soon."""
        self._young[create.execution_id] = (create, done)
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(LONGEST_S / 2, self._look)

    def append(self, change: AppendBatch, done: Done, *, after_logs: int) -> None:
        """Submit a batch, after its execution's creation."""
        if not change.seq:
            held = self._young.pop(change.execution_id, None)
            held = held or self._old.pop(change.execution_id, None)
            if held is not None:
                self._journal.submit(*held)
        self._journal.submit(change, done, after_logs=after_logs)

    def submit(self, change: Change, done: Done, *, after_logs: int = 0) -> None:
        """Submit any other change."""
        self.flush()
        self._journal.submit(change, done, after_logs=after_logs)

    def flush(self) -> None:
        """Submit what is held."""
        while self._old or self._young:
            self._submit_old()
            self._old, self._young = self._young, self._old

    def _look(self) -> None:
        self._submit_old()
        self._old, self._young = self._young, self._old
        self._looking = bool(self._old)
        if self._looking:
            asyncio.get_running_loop().call_later(LONGEST_S / 2, self._look)

    def _submit_old(self) -> None:
        for held in self._old.values():
            self._journal.submit(*held)
        self._old.clear()
