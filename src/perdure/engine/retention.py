"""Deletes what no replay needs: batches of generations that were continued as new."""

import asyncio

from perdure.engine.state import State
from perdure.ports.journal import Prune

_INTERVAL_S = 60.0
_CHUNK = 500


class Retention:
    """Deletes in small steps, so that nobody waits for it."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def run(self) -> None:
        """Delete, until cancelled."""
        while True:
            outcome = await self._state.submit(Prune(limit=_CHUNK))
            full = outcome.done and outcome.count >= _CHUNK
            await asyncio.sleep(0.05 if full else _INTERVAL_S)
