"""Stores for tests, and the loop that their outcomes are told on."""

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from perdure.store.sqlite import SqliteStore
from perdure.store.sqlite.transaction import Commit, commit
from tests.unit.ports.logs_suite import QUOTA_BYTES

PATIENCE_S = 30


class Loop:
    """Stands for the engine's loop: keeps what is scheduled until it is run."""

    def __init__(self) -> None:
        self.scheduled = 0
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def schedule(self, callback: Callable[[], None]) -> None:
        self.scheduled += 1
        self._queue.put(callback)

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Run callbacks, and wait for more, until the condition holds."""
        while not condition():
            self._queue.get(timeout=PATIENCE_S)()

    def run(self) -> None:
        """Run what is scheduled, and what that schedules."""
        while not self._queue.empty():
            self._queue.get()()


def open_store(
    folder: Path, loop: Loop, *, threads: bool = False, commit: Commit = commit
) -> SqliteStore:
    return SqliteStore.open(
        folder, loop.schedule, threads=threads, log_quota_bytes=QUOTA_BYTES, commit=commit
    )
