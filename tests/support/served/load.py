"""Workflows of all kinds, short, with results that are known beforehand: see `expected`."""

import asyncio
import logging
import time
from typing import Any

from perdure import RaisedError, Retry, current_task, gather, sleep, task, wait_for_event, workflow
from tests.support.served.diary import noted

log = logging.getLogger(__name__)

EVENT = "word"
"""The event that `attentive` waits for; its data is a number."""


@task
async def add(left: int, right: int) -> int:
    with noted():
        log.info("adding %d", right)
        await asyncio.sleep(0.004)
        return left + right


@task
def square(number: int) -> int:
    """A plain function: it runs in a thread."""
    with noted():
        time.sleep(0.004)
        return number * number


@task(retries=Retry(4, delay="15ms", jitter=0))
async def persist(failures: int) -> int:
    with noted():
        if current_task().attempt <= failures:
            raise ConnectionError("not yet")
        return current_task().attempt


@task
async def refuse() -> None:
    with noted():
        raise RaisedError("it cannot be done")


@workflow
async def chain(steps: int) -> int:
    total = 0
    for step in range(steps):
        total = await add(total, step)
        log.info("after step %d: %d", step, total)
    return total


@workflow
async def fan(width: int) -> int:
    return sum(await gather(*(square(number) for number in range(width))))


@workflow
async def stubborn(failures: int) -> int:
    return await persist(failures)


@workflow
async def drowsy(length: str) -> int:
    before = await add(1, 2)
    await sleep(length)
    return await add(before, 4)


@workflow
async def family(steps: int, width: int) -> int:
    one, other = await gather(chain(steps), fan(width))
    return await add(one, other)


@workflow
async def attentive(first: int) -> int:
    before = await add(first, 1)
    return await add(before, await wait_for_event(EVENT, type=int))


@workflow
async def doomed() -> int:
    """It is cancelled before this is over; that takes a task of its own."""
    before = await add(1, 1)
    try:
        await sleep("1h")
    finally:
        await add(before, 1)
    return before


@workflow
async def hopeless() -> None:
    await refuse()


def expected(workflow_id: str, inputs: dict[str, Any], word: int) -> tuple[str, int | None]:
    """The status and the result to which an execution comes; `word` is the event's data."""
    match workflow_id:
        case "chain":
            return "completed", sum(range(inputs["steps"]))
        case "fan":
            return "completed", sum(number * number for number in range(inputs["width"]))
        case "stubborn":
            return "completed", inputs["failures"] + 1
        case "drowsy":
            return "completed", 7
        case "family":
            one = expected("chain", inputs, word)[1]
            other = expected("fan", inputs, word)[1]
            return "completed", (one or 0) + (other or 0)
        case "attentive":
            return "completed", inputs["first"] + 1 + word
        case "doomed":
            return "cancelled", None
        case "hopeless":
            return "failed", None
    raise ValueError(workflow_id)
