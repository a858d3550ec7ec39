"""Moves due timers into inboxes.

Timers are rows; nothing of them is in memory but the moment of the next.
"""

import asyncio

from perdure.engine.alarm import Alarm
from perdure.engine.ownership import Ownership
from perdure.engine.state import State
from perdure.ports.journal import FireTimers

_PAGE = 1_000


class Timers:
    """Fires timers."""

    def __init__(self, state: State, ownership: Ownership) -> None:
        self._state = state
        self._ownership = ownership
        self._alarm = Alarm(state.clock)

    def set(self, due_ms: int) -> None:
        """A timer that falls due then is on disk."""
        self._alarm.set(due_ms)

    def changed(self) -> None:
        """Timers were released or moved: look again."""
        self._alarm.set(0)

    async def run(self) -> None:
        """Fire timers as they fall due, until cancelled."""
        state = self._state
        while True:
            self._alarm.set(await state.read_surely(state.journal.next_due_ms))
            now_ms = await self._alarm.wait()
            due = await state.read_surely(state.journal.due_timers, now_ms, _PAGE)
            if due:
                outcome = await state.submit(FireTimers(now_ms=now_ms, timers=due))
                self._ownership.put(outcome.put)
                if not outcome.done:
                    await asyncio.sleep(state.limits.storage_retry_s)
