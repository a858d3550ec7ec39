"""Tasks that harm nobody, beside those of the hostile modules."""

import asyncio
import time

from perdure import task


@task
async def wait(seconds: float) -> float:
    """Wait on the loop, as a call to another service does."""
    await asyncio.sleep(seconds)
    return seconds


@task
def work(seconds: float) -> float:
    """Wait in a thread."""
    time.sleep(seconds)
    return seconds
