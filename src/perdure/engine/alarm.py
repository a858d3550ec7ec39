"""Waits for moments of the wall clock, of which only the next is in memory.

The clock is read again at least every second, so that its jumps are survived.
"""

import asyncio

from perdure.ports.clock import Clock

_LONGEST_WAIT_S = 1.0


class Alarm:
    """The next moment at which there is something to do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_ms: int | None = None
        self._wake = asyncio.Event()

    def set(self, due_ms: int | None) -> None:
        """There is something to do at this moment; with None, there is nothing more."""
        if due_ms is not None and (self._next_ms is None or due_ms < self._next_ms):
            self._next_ms = due_ms
            self._wake.set()

    async def wait(self) -> int:
        """Wait for the next moment, which is forgotten then; what time it is."""
        while True:
            now_ms = self._clock.now_ms()
            if self._next_ms is not None and self._next_ms <= now_ms:
                self._next_ms = None
                return now_ms
            await self._pass_time(now_ms)

    async def _pass_time(self, now_ms: int) -> None:
        delay_s: float | None = None
        if self._next_ms is not None:
            delay_s = min((self._next_ms - now_ms) / 1000, _LONGEST_WAIT_S)
        self._wake.clear()
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass
