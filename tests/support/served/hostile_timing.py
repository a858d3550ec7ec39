"""Tasks that take longer than their timeouts allow, each in another way.

`trace` is a file that tasks write a line to each time they run: their process id.
"""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from perdure import Retry, gather, task, workflow

SOON = Retry(1, delay="100ms")
NEVER_ON_TIMEOUT = Retry(3, delay="100ms", never_on=TimeoutError)


def note(trace: str) -> None:
    """Write that an attempt has begun."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")


@task(timeout="500ms", retries=SOON)
async def cooperates(trace: str) -> None:
    """Wait for ever, and let itself be cancelled."""
    note(trace)
    await asyncio.Event().wait()


@task(timeout="500ms", retries=SOON)
async def goes_on(trace: str) -> None:
    """Wait for ever, and do not listen."""
    note(trace)
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@task(timeout="500ms", retries=SOON)
async def blocks(trace: str) -> None:
    """Block the loop."""
    note(trace)
    time.sleep(60)


@task(timeout="500ms", retries=NEVER_ON_TIMEOUT)
async def blocks_once(trace: str) -> None:
    """Block the loop; not to be tried again."""
    note(trace)
    time.sleep(60)


@task(timeout="500ms", retries=SOON)
def stays_in_its_thread(trace: str) -> None:
    """Wait in a thread for ever."""
    note(trace)
    while True:
        time.sleep(60)


@task(timeout="1500ms", retries=SOON, process=True)
def process_has_children(trace: str) -> None:
    """Start a process in a process, and wait for it, whatever is asked."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    note(trace)
    while True:
        try:
            with Path(trace).open("ab") as file:
                subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
        except BaseException:
            time.sleep(0.1)


@task(total_timeout="1s", retries=Retry(100, delay="100ms", factor=1))
async def fails_all_the_time(trace: str) -> None:
    """Fail at once, each time."""
    note(trace)
    raise ValueError("again")


@task(timeout="1s")
async def quick_enough(n: int) -> int:
    """Be done in time."""
    await asyncio.sleep(0.01)
    return n


_TASKS = (
    cooperates,
    goes_on,
    blocks,
    blocks_once,
    stays_in_its_thread,
    process_has_children,
    fails_all_the_time,
)


@workflow(id="times-out")
async def times_out(task_name: str, trace: str) -> None:
    """Run one of the tasks."""
    for candidate in _TASKS:
        if candidate.name == task_name:
            await candidate(trace)


@workflow(id="in-time")
async def in_time(count: int = 1) -> int:
    """Tasks that are done in time."""
    return sum(await gather(*(quick_enough(1) for _ in range(count))))
