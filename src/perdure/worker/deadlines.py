"""The deadlines of attempts: one heap and one timer of the loop for all of them.

A deadline that was moved or taken back stays in the heap as a husk, which holds nothing but its
moment; husks are swept out once they are the greater part.
"""

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

_FEWEST_HUSKS = 256


class Deadline:
    """A moment at which `act` is called, on the loop's clock, unless it is taken back."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], None]) -> None:
        self.act: Callable[[], None] | None = act


class Deadlines:
    """Calls back what is due. To be used on the loop's thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Deadline]] = []
        self._numbers = count()
        self._husks = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._heap) - self._husks

    def after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` in so many seconds."""
        deadline = Deadline(act)
        due = self._loop.time() + seconds
        heappush(self._heap, (due, next(self._numbers), deadline))
        if self._heap[0][2] is deadline:
            self._arm()
        return deadline

    def drop(self, deadline: Deadline) -> None:
        """Take a deadline back; one that has passed stays as it is."""
        if deadline.act is None:
            return
        deadline.act = None
        self._husks += 1
        if self._husks > _FEWEST_HUSKS and self._husks * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].act is not None]
            heapify(self._heap)
            self._husks = 0

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._ring) if self._heap else None

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        try:
            while self._heap and self._heap[0][0] <= now:
                deadline = heappop(self._heap)[2]
                act, deadline.act = deadline.act, None
                if act is None:
                    self._husks -= 1
                else:
                    act()
        finally:
            self._arm()
