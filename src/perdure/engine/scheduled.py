"""Has executions admitted that were started with a later moment, once it has come.

Until then they are rows, and count neither as running nor as pending; nothing of them is in memory
but the moment of the next.
"""

import asyncio

from perdure.engine.admission import Admission
from perdure.engine.alarm import Alarm
from perdure.engine.state import State
from perdure.ports.journal import ReleaseScheduled

_PAGE = 1_000


class Scheduled:
    """Watches the moments that executions wait for with their start."""

    def __init__(self, state: State, admission: Admission) -> None:
        self._state = state
        self._admission = admission
        self._alarm = Alarm(state.clock)

    def set(self, start_at: int) -> None:
        """An execution that waits for this moment is on disk."""
        self._alarm.set(start_at)

    async def run(self) -> None:
        """Release them as their moments come, until cancelled."""
        state = self._state
        while True:
            self._alarm.set(await state.read_surely(state.journal.next_start_ms))
            now_ms = await self._alarm.wait()
            outcome = await state.submit(ReleaseScheduled(now_ms=now_ms, limit=_PAGE))
            if outcome.count:
                self._admission.queued(outcome.count)
            if not outcome.done:
                await asyncio.sleep(state.limits.storage_retry_s)
