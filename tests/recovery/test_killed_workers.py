"""SIGKILL of workers, at any moment and again and again, loses and repeats nothing.

Proven with real processes, under the load of concurrent clients: as for the server (see
`test_killed_servers`), and besides, the server answers all the while, takes every start, and fails
nobody for the deaths that others caused (promises 7 and 8).
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Collection
from functools import partial
from pathlib import Path
from signal import SIGKILL

from tests.support.load import Clients, Witness, assert_as_expected, until_all_end
from tests.support.servers import SERVED, Api, Server, server, until, until_true

KILLS = 14
SLOWEST_ANSWER_S = 5.0
"""Of a busy machine. A server that waited for a worker would take longer: that is 10 s and more."""


async def test_killing_workers_again_and_again(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py", options=["--workers=2"]) as served:
        clients = Clients(served.api)
        witness = Witness(served)
        async with answering(served.api), clients.running():
            for _ in range(KILLS):
                await until_true(served.workers, "a worker runs")
                await asyncio.sleep(random.uniform(0.0, 0.8))
                with contextlib.suppress(ProcessLookupError, IndexError):
                    os.kill(random.choice(served.workers()), SIGKILL)
                witness.look()
        await until_all_end(served.api, clients)
        witness.look()
        await assert_as_expected(served.api, clients)
        assert len(clients.acknowledged) > KILLS
        assert await served.stop() == 0
        witness.look()


@contextlib.asynccontextmanager
async def answering(api: Api) -> AsyncIterator[None]:
    """Ask the server something all the while: every answer comes, and in time."""
    slowest_s = 0.0

    async def ask() -> None:
        nonlocal slowest_s
        while True:
            asked = time.monotonic()
            for path in ("/healthz", "/api/executions?limit=20", "/api/workflows"):
                assert (await api.http.get(path)).status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - asked)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask())
        yield
        asking.cancel()
    assert slowest_s < SLOWEST_ANSWER_S


async def test_deaths_before_it_was_loaded_are_not_its_fault(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with server(tmp_path, SERVED / "gated.py") as served:
        execution_id = await served.api.start("gated", gate=str(gate))
        await until_true(lambda: len(served.diary.begun()) == 4, "its tasks run")
        before = set(served.workers())
        [worker] = before
        os.kill(worker, SIGKILL)  # its code was on the CPU there, alone: that one counts
        for _ in range(2):
            before = await until(partial(two_more, served, before), "workers start")
            for starting in before:
                os.kill(starting, SIGKILL)
        gate.touch()
        whole = await served.api.until_status(execution_id, "completed", "failed")
        assert whole["status"] == "completed", whole["error"]


async def two_more(served: Server, before: Collection[int]) -> set[int]:
    """The workers that are not among those of before, once there are two."""
    started = set(served.workers()).difference(before)
    return started if len(started) >= 2 else set()
