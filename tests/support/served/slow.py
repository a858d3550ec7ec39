"""Workflows whose first task takes its time, of each kind: on a loop, in a thread, in a process."""

import asyncio
import logging
import subprocess
import time

from perdure import sleep, task, workflow
from tests.support.served.diary import noted

log = logging.getLogger(__name__)

DONE = "done after %s s"
"""What each task logs at its end."""


@task
async def linger(seconds: float) -> str:
    with noted():
        await asyncio.sleep(seconds)
        log.info(DONE, seconds)
        return "lingered"


@task
def dwell(seconds: float) -> str:
    with noted():
        time.sleep(seconds)
        log.info(DONE, seconds)
        return "dwelt"


@task(process=True)
def toil(seconds: float) -> str:
    with noted():
        time.sleep(seconds)
        log.info(DONE, seconds)
        return "toiled"


@task
def commission(seconds: float) -> str:
    """Leave the work to a process, from a thread."""
    with noted():
        subprocess.run(["sleep", str(seconds)], check=True)
        log.info(DONE, seconds)
        return "commissioned"


@task
async def finish(done: str) -> str:
    with noted():
        return f"{done} and finished"


@workflow
async def lingering(seconds: float) -> str:
    return await finish(await linger(seconds))


@workflow
async def dwelling(seconds: float) -> str:
    return await finish(await dwell(seconds))


@workflow
async def toiling(seconds: float) -> str:
    return await finish(await toil(seconds))


@workflow
async def commissioning(seconds: float) -> str:
    return await finish(await commission(seconds))


@workflow
async def sleeping(length: str) -> str:
    """Nothing to do but to wait."""
    await sleep(length)
    return await finish("slept")
