"""Moves due timers into inboxes.

Timers are rows; nothing of them is in memory but the moment of the next. They run on the wall
clock, which is read again at least every second, so that its jumps are survived.
"""

import asyncio

from perdure.engine.ownership import Ownership
from perdure.engine.state import State
from perdure.ports.journal import FireTimers

_LONGEST_WAIT_S = 1.0
_PAGE = 1_000


class Timers:
    """Fires timers."""

    def __init__(self, state: State, ownership: Ownership) -> None:
        self._state = state
        self._ownership = ownership
        self._next_ms: int | None = None
        self._wake = asyncio.Event()

    def set(self, due_ms: int) -> None:
        """A timer that falls due then is on disk."""
        if self._next_ms is None or due_ms < self._next_ms:
            self._next_ms = due_ms
            self._wake.set()

    def changed(self) -> None:
        """Timers were released or moved: look again."""
        self._next_ms = 0
        self._wake.set()

    async def run(self) -> None:
        """Fire timers as they fall due, until cancelled."""
        state = self._state
        self._next_ms = await state.read(state.journal.next_due_ms)
        while True:
            await self._wait()
            now_ms = state.clock.now_ms()
            if self._next_ms is None or now_ms < self._next_ms:
                continue
            self._next_ms = None
            due = await state.read(state.journal.due_timers, now_ms, _PAGE)
            if due:
                outcome = await state.submit(FireTimers(now_ms=now_ms, timers=due))
                self._ownership.put(outcome.put)
                if not outcome.done:
                    await asyncio.sleep(state.limits.storage_retry_s)
            next_ms = await state.read(state.journal.next_due_ms)
            if next_ms is not None:
                self.set(next_ms)

    async def _wait(self) -> None:
        delay_s: float | None = None
        if self._next_ms is not None:
            left_s = (self._next_ms - self._state.clock.now_ms()) / 1000
            delay_s = max(0.0, min(left_s, _LONGEST_WAIT_S))
        self._wake.clear()
        if delay_s != 0.0:
            try:
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
