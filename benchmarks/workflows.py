"""The workflows that are measured."""

import asyncio
import time
from datetime import datetime

from perdure import sleep, sleep_until, task, workflow


@task
async def nothing() -> None:
    """Return at once."""


@task
async def ten_milliseconds() -> None:
    """Take 10 ms, as a quick call to another service does."""
    await asyncio.sleep(0.01)


@task
async def moment() -> float:
    """Tell when the task began, in seconds since 1970."""
    return time.time()


@workflow(id="three-tasks")
async def three_tasks() -> None:
    """Run three tasks that do nothing, one after another."""
    for _ in range(3):
        await nothing()


@workflow(id="forty-tasks")
async def forty_tasks() -> None:
    """Run forty tasks of 10 ms each, one after another."""
    for _ in range(40):
        await ten_milliseconds()


@workflow(id="sleep-for-a-day")
async def sleep_for_a_day() -> float:
    """Sleep for a day, then run a task."""
    await sleep("1d")
    return await moment()


@workflow(id="sleep-until")
async def sleep_until_moment(due: datetime) -> float:
    """Sleep until a moment, then tell when the task after it began."""
    await sleep_until(due)
    return await moment()
