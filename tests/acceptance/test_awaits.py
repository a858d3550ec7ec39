"""Workflow code that awaits, or uses, what cannot be durable fails, and is told what to do."""

import asyncio
from pathlib import Path

from tests.support.served.hostile_values import FOREIGN
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_values.py"

NO_LOOP = (
    "await perdure.sleep, perdure.gather or a task instead, and put everything else into a task"
)
FOREIGN_AWAIT = "it can await tasks, sleep, gather, wait_for_event and child workflows"
OTHERWISE = {
    "asyncio.sleep(0)": FOREIGN_AWAIT,
    "plain awaitable": FOREIGN_AWAIT,
    "not awaitable": "object int can't be used in 'await' expression",
    "thread": "sleep() is for workflow code, while a workflow runs: use asyncio.sleep",
    "gather of no awaitable": "gather() awaits tasks, children and coroutines, not 1",
    "awaited twice": "cannot reuse already awaited coroutine",
}
"""What is said of all that does not fail for want of an event loop."""


async def check(api: Api, what: str) -> None:
    execution = await api.run("awaits", what=what)
    assert execution["status"] == "failed", what
    assert OTHERWISE.get(what, NO_LOOP) in execution["error"]["detail"], what


async def test_foreign_awaits(tmp_path: Path) -> None:
    """asyncio, HTTP clients, futures, threads: at the call, and nobody else is disturbed."""
    async with server(tmp_path, MODULE) as its:
        api = its.api
        workers = its.workers()
        innocent = await api.start("innocent", seconds=0.5)
        await asyncio.gather(*(check(api, what) for what in FOREIGN))
        await api.until_status(innocent, "completed")
        assert its.workers() == workers
