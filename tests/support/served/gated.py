"""Tasks of every kind that go on until a file is there, however often they are begun again."""

import asyncio
import subprocess
import time
from pathlib import Path

from perdure import current_task, gather, task, workflow
from tests.support.served.diary import noted


@task
async def linger(gate: str) -> str:
    with noted():
        while not Path(gate).exists():  # noqa: ASYNC110 - who opens it is another process
            await asyncio.sleep(0.02)
        return current_task().idempotency_key


@task
def dwell(gate: str) -> str:
    with noted():
        while not Path(gate).exists():
            time.sleep(0.02)
        return current_task().idempotency_key


@task(process=True)
def toil(gate: str) -> str:
    with noted():
        while not Path(gate).exists():
            time.sleep(0.02)
        return current_task().idempotency_key


@task(process=True)
def delegate(gate: str) -> str:
    """Leave the waiting to a process of its own."""
    with subprocess.Popen(["sh", "-c", f"until test -e '{gate}'; do sleep 0.1; done"]) as process:
        with noted():
            process.wait()
        return current_task().idempotency_key


@workflow
async def gated(gate: str) -> list[str]:
    """The idempotency keys of four tasks that run at once."""
    return await gather(*(kind(gate) for kind in (linger, dwell, toil, delegate)))
