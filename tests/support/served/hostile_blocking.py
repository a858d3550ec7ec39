"""Workflows that block, spin, hang, or do not listen when they are asked to stop.

`trace` is a file that tasks write a line to when they begin: their process id.
"""

import asyncio
import os
import re
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from perdure import sleep, task, workflow
from tests.support.served.innocents import wait, work


def note(trace: str) -> None:
    """Write that a task has begun."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")


# -- innocents ---------------------------------------------------------------------------------


@task
async def double(n: int) -> int:
    """Do something quick."""
    return 2 * n


@workflow(id="quick")
async def quick(n: int = 1) -> int:
    """Two tasks, one after the other."""
    return await double(await double(n))


@workflow(id="innocent")
async def innocent(seconds: float) -> list[float]:
    """Tasks that take a while, on the loop and in a thread."""
    return [await wait(seconds), await work(seconds)]


@workflow(id="patient")
async def patient(naps: int) -> int:
    """Tasks with durable waits between them: nothing of it is in a worker for long."""
    total = 0
    for _ in range(naps):
        await sleep("400ms")
        total += await double(1)
    return total


# -- tasks that block the loop of their worker -------------------------------------------------


@task
async def sleeps_on_the_loop(trace: str) -> None:
    """Do what an async function must not do."""
    note(trace)
    time.sleep(60)


@task
async def spins_on_the_loop(trace: str) -> None:
    """Never await."""
    note(trace)
    while True:
        pass


@task
def holds_the_interpreter(trace: str) -> None:
    """Run in a thread, but let no other: a pattern that takes for ever to fail."""
    note(trace)
    re.match(r"(a+)+$", "a" * 60 + "b")


# -- tasks that do not end ---------------------------------------------------------------------


@task
async def never_returns(trace: str) -> None:
    """Await for ever."""
    note(trace)
    await asyncio.Event().wait()


@task
async def swallows_cancellation(trace: str) -> None:
    """Go on whatever is asked of it."""
    note(trace)
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


@task
def plain_never_returns(trace: str) -> None:
    """Wait in a thread for ever."""
    note(trace)
    threading.Event().wait()


@task
def plain_spins(trace: str) -> None:
    """Keep a thread busy for ever."""
    note(trace)
    while True:
        pass


@task(process=True)
def process_ignores_signals(trace: str) -> None:
    """Go on in a process of its own, whatever is asked of it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(trace)
    while True:
        time.sleep(1)


@task(process=True)
def process_listens(trace: str) -> None:
    """Wait in a process of its own until it is asked to stop."""
    note(trace)
    time.sleep(3600)


_TASKS = (
    sleeps_on_the_loop,
    spins_on_the_loop,
    holds_the_interpreter,
    never_returns,
    swallows_cancellation,
    plain_never_returns,
    plain_spins,
    process_ignores_signals,
    process_listens,
)


@workflow(id="runs")
async def runs(task_name: str, trace: str) -> None:
    """Run one of the tasks."""
    for candidate in _TASKS:
        if candidate.name == task_name:
            await candidate(trace)


# -- workflow code that blocks -----------------------------------------------------------------


@workflow(id="workflow-spins")
async def workflow_spins(trace: str) -> None:
    """Never await."""
    note(trace)
    while True:
        pass


@workflow(id="workflow-sleeps")
async def workflow_sleeps(trace: str) -> None:
    """Block again and again."""
    note(trace)
    while True:
        time.sleep(60)
