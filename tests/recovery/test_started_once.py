"""An idempotency key starts one execution, through SIGKILL of the server at any moment.

Proven with real processes: several clients at a time ask under each key, and ask again until they
are answered, while the server is killed again and again. All of them get the same execution, no
other one is there, and the key still stands for it after everything.
"""

import asyncio
import random
from collections.abc import Sized
from pathlib import Path
from typing import Any

import httpx

from tests.support.served.load import expected
from tests.support.servers import SERVED, Api, server, until_true

KILLS = 8
CLIENTS_PER_KEY = 3
KEYS_AT_ONCE = 4
_NOT_NOW = {"not_ready", "shutting_down"}


async def test_every_key_starts_one_execution_while_the_server_is_killed(tmp_path: Path) -> None:
    started: dict[str, set[str]] = {}
    stopping = asyncio.Event()

    async def keep_asking(api: Api, name: int) -> None:
        number = 0
        while not stopping.is_set():
            key = f"{name}-{number}"
            asking = (insist(api, key, number) for _ in range(CLIENTS_PER_KEY))
            started[key] = {head["execution_id"] for head in await asyncio.gather(*asking)}
            number += 1

    async with server(tmp_path, SERVED / "load.py", start=False) as served:
        async with asyncio.TaskGroup() as clients:
            for name in range(KEYS_AT_ONCE):
                clients.create_task(keep_asking(served.api, name))
            for number in range(KILLS):
                await served.start()
                if number % 2:
                    await asyncio.sleep(random.uniform(0.0, 0.3))
                else:
                    await another_is_in(started)
                await served.kill()
            await served.start()
            stopping.set()
        assert all(len(ids) == 1 for ids in started.values()), started
        there = {head["execution_id"] for head in await served.api.executions()}
        assert there == set().union(*started.values())
        assert len(there) == len(started)
        for key, (execution_id,) in started.items():
            steps = int(key.partition("-")[2]) % 5 + 1
            whole = await served.api.until_status(execution_id, "completed", "failed")
            assert (whole["status"], whole["result"]) == expected("chain", {"steps": steps}, 0)
            again = await start(served.api, key, steps)
            assert again.status_code == 200, again.text
            assert again.json()["execution_id"] == execution_id


async def another_is_in(started: Sized) -> None:
    """Wait until it has more than it has now."""
    before = len(started)
    await until_true(lambda: len(started) > before, "one more is started")


async def insist(api: Api, key: str, number: int) -> dict[str, Any]:
    """Ask until there is an answer that acknowledges the start."""
    while True:
        try:
            response = await start(api, key, number % 5 + 1)
        except httpx.TransportError:
            await asyncio.sleep(0.02)
            continue
        if response.status_code in (200, 202):
            answer = response.json()
            assert isinstance(answer, dict)
            return answer
        assert response.json()["code"] in _NOT_NOW, response.text
        await asyncio.sleep(0.02)


async def start(api: Api, key: str, steps: int) -> httpx.Response:
    return await api.http.post(
        "/api/workflows/chain/execute",
        json={"inputs": {"steps": steps}},
        headers={"Idempotency-Key": key},
    )
