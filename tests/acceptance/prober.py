"""Asks the API for everything again and again while something goes on, and takes the time."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from tests.support.servers import Api, until_true

LIMIT_S = 0.25
"""What an answer may take."""
FEWEST_ROUNDS = 10
_PAUSE_S = 0.02


class Prober:
    """The requests that were made, and how long the slowest took."""

    def __init__(self, api: Api, execution_id: str, quick: str) -> None:
        self._api = api
        self._execution_id = execution_id
        self._quick = quick
        self.rounds = 0
        self.started: list[str] = []
        """Executions that were started meanwhile."""
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._ask("status", self._status)
            await self._ask("list", self._list)
            await self._ask("logs", self._logs)
            await self._ask("execute", self._execute)
            self.rounds += 1
            await asyncio.sleep(_PAUSE_S)

    async def _ask(self, what: str, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
        """Ask once; a slow answer is asked for again, since the machine may have been busy."""
        best_s = float("inf")
        for _ in range(2):
            began_s = time.perf_counter()
            response = await ask()
            best_s = min(best_s, time.perf_counter() - began_s)
            assert response.status_code in (200, 202), response.text
            if best_s <= LIMIT_S:
                break
        self.seconds[what].append(best_s)

    async def _status(self) -> httpx.Response:
        return await self._api.http.get(f"/api/executions/{self._execution_id}")

    async def _list(self) -> httpx.Response:
        return await self._api.http.get("/api/executions")

    async def _logs(self) -> httpx.Response:
        return await self._api.http.get(f"/api/executions/{self._execution_id}/logs")

    async def _execute(self) -> httpx.Response:
        response = await self._api.execute(self._quick)
        self.started.append(response.json()["execution_id"])
        return response

    def check(self) -> None:
        """Every kind was asked often, and never answered late."""
        for what, seconds in self.seconds.items():
            assert max(seconds) <= LIMIT_S, f"{what} took {max(seconds):.3f} s"
        assert len(self.seconds) == 4


@contextlib.asynccontextmanager
async def probing(api: Api, execution_id: str, *, quick: str = "quick") -> AsyncIterator[Prober]:
    """The API is asked all the time in this block; `execution_id` is looked at.

    At the end every answer was in time, and everything that was started, executions of `quick`,
    has completed.
    """
    prober = Prober(api, execution_id, quick)
    asking = asyncio.create_task(prober.run())
    try:
        yield prober
        await until_true(lambda: prober.rounds >= FEWEST_ROUNDS or asking.done(), "enough is asked")
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
    prober.check()
    for started in prober.started:
        ended = await api.until_status(started, "completed", "failed", "cancelled", "paused")
        assert ended["status"] == "completed"
