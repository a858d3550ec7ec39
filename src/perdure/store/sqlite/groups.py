"""Group commit: what came while a group was being written makes up the next one.

Items are taken in the order in which they were put, one group at a time. `ThreadedGroups` writes
in a thread of its own. `InlineGroups` has none: it writes when its `schedule` says, so that a
simulation decides when that is.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

GROUP_LIMIT = 1_000
"""Items that one group may have: what comes after waits for the next."""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Schedule = Callable[[Callable[[], None]], object]
"""Has a callback called on the engine's loop, as `loop.call_soon_threadsafe` does."""


class Groups(Protocol[T_contra]):
    """Takes items, and has them written in groups."""

    def put(self, item: T_contra) -> None:
        """Take an item; does not wait."""
        ...

    def flush(self) -> None:
        """Write what was put, where no thread does so on its own."""
        ...

    def close(self) -> None:
        """Write what was put, then take no more. To be called once, and not while writing."""
        ...

    def abandon(self) -> None:
        """Take no more, and write nothing more than the group that is being written."""
        ...


class ThreadedGroups(Groups[T]):
    """Writes in a thread of its own."""

    def __init__(self, name: str, write: Callable[[list[T]], None]) -> None:
        self._write = write
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self.abandoned = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        self._queue.put(item)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def abandon(self) -> None:
        self.abandoned = True
        self.close()

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._next_group()
            if group and not self.abandoned:
                self._write(group)

    def _next_group(self) -> tuple[list[T], bool]:
        """Wait for an item, and take what else is there; whether it is the last group."""
        group: list[T] = []
        item = self._queue.get()
        try:
            while item is not None:
                group.append(item)
                if len(group) == GROUP_LIMIT:
                    return group, False
                item = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True


class InlineGroups(Groups[T]):
    """Writes in the callbacks that it schedules, at most one at a time."""

    def __init__(self, schedule: Schedule, write: Callable[[list[T]], None]) -> None:
        self._schedule = schedule
        self._write = write
        self._items: list[T] = []
        self._scheduled = False

    def put(self, item: T) -> None:
        self._items.append(item)
        if not self._scheduled:
            self._scheduled = True
            self._schedule(self._scheduled_flush)

    def flush(self) -> None:
        items, self._items = self._items, []
        for first in range(0, len(items), GROUP_LIMIT):
            self._write(items[first : first + GROUP_LIMIT])

    def close(self) -> None:
        self.flush()

    def abandon(self) -> None:
        self._items.clear()

    def _scheduled_flush(self) -> None:
        self._scheduled = False
        self.flush()
