"""Pausing and resuming, as fast as it goes, stops nothing and repeats nothing.

Proven with a real server: whatever moment a pause and the resume after it hit, the execution goes
on after the last resume, no recorded attempt begins again, and the result is the undisturbed one.
"""

import asyncio
import random
from pathlib import Path

from tests.support.load import Witness
from tests.support.servers import SERVED, Api, server

EXECUTIONS = 16
STEPS = 120


async def test_pausing_and_resuming_again_and_again(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py") as served:
        witness = Witness(served)
        started = [await served.api.start("chain", steps=STEPS) for _ in range(EXECUTIONS)]
        await asyncio.gather(*(disturb(served.api, each) for each in started))
        witness.look()
        for execution_id in started:
            whole = await served.api.until_status(execution_id, "completed", "failed", "paused")
            assert (whole["status"], whole["result"]) == ("completed", sum(range(STEPS)))
        witness.look()


async def disturb(api: Api, execution_id: str) -> None:
    """Pause an execution and resume it as soon as that can be, until it ends or 20 times."""
    for _ in range(20):
        await asyncio.sleep(random.uniform(0, 0.02))
        pausing = asyncio.create_task(api.control(execution_id, "pause"))
        resumed = await api.control(execution_id, "resume")
        while resumed.status_code == 409 and resumed.json()["code"] == "not_paused":
            resumed = await api.control(execution_id, "resume")
        paused = await pausing
        if paused.status_code == 409:
            assert paused.json()["code"] == "already_ended", paused.text
            return
        assert (paused.status_code, resumed.status_code) == (200, 200), (paused.text, resumed.text)
