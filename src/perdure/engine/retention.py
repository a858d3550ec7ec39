"""Deletes what nobody needs any more.

That is batches of generations that were continued as new, and idempotency keys that have expired.
"""

import asyncio

from perdure.engine.state import State
from perdure.ports.journal import ForgetKeys, Prune

_INTERVAL_S = 60.0
_CHUNK = 500


class Retention:
    """Deletes in small steps, so that nobody waits for it."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def run(self) -> None:
        """Delete, until cancelled."""
        state = self._state
        while True:
            outcomes = (
                await state.submit(Prune(limit=_CHUNK)),
                await state.submit(ForgetKeys(now_ms=state.clock.now_ms(), limit=_CHUNK)),
            )
            full = any(outcome.done and outcome.count >= _CHUNK for outcome in outcomes)
            await asyncio.sleep(0.05 if full else _INTERVAL_S)
