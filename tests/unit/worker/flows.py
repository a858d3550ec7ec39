"""Workflows and tasks for the tests of the worker."""

import asyncio
import logging
import time
from typing import Any

from perdure.authoring.context import current_task
from perdure.authoring.task import task
from perdure.authoring.workflow import workflow
from perdure.machine import program
from perdure.model.exceptions import Cancelled, Continued, RaisedError

log = logging.getLogger("flows")

begun: list[str] = []
"""Tasks that began, since `flows.begun.clear()`."""


@task
async def double(n: int) -> int:
    begun.append(f"double {n}")
    return 2 * n


@task
async def slow(seconds: float) -> str:
    begun.append("slow")
    await asyncio.sleep(seconds)
    return "done"


@task(timeout="30s")
async def limited(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "in time"


@task(on_crash="fail")
async def once(seconds: float) -> str:
    begun.append("once")
    await asyncio.sleep(seconds)
    return "done"


@task
async def stubborn(seconds: float) -> str:
    """Does not stop when it is cancelled."""
    end = asyncio.get_running_loop().time() + seconds
    while (left := end - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            log.info("not yet")
    return "at last"


@task
async def fail(detail: str, retryable: bool = True) -> None:
    raise RaisedError(detail, retryable=retryable)


@task
def blocking(seconds: float) -> str:
    """Looks now and then whether it should stop."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if current_task().cancel_requested:
            return "stopped early"
        time.sleep(0.005)
    return "done"


@workflow
async def doubled(n: int) -> int:
    return await double(n)


@workflow
async def doubled_twice(n: int) -> int:
    first = await double(n)
    log.info("first %d", first)
    second = await double(first)
    log.info("second %d", second)
    return second


@workflow
async def both(seconds: float) -> list[Any]:
    return await program.gather([slow(seconds), double(1)])


@workflow
async def waits_slowly(seconds: float) -> str:
    return await slow(seconds)


@workflow
async def waits_once(seconds: float) -> str:
    return await once(seconds)


@workflow
async def waits_limited(seconds: float) -> str:
    return await limited(seconds)


@workflow
async def waits_stubbornly(seconds: float) -> str:
    return await stubborn(seconds)


@workflow
async def waits_blocking(seconds: float) -> str:
    return await blocking(seconds)


@workflow
async def sleeps(ms: int) -> str:
    await program.sleep(ms)
    return "awake"


@workflow
async def listens() -> list[Any]:
    first = await program.wait_for_event("go", None)
    second = await program.wait_for_event("go", None)
    return [first.decode(), second.decode()]


@workflow
async def fails(detail: str) -> None:
    await fail(detail)


@workflow
async def cleans_up(seconds: float) -> None:
    try:
        await slow(seconds)
    except Cancelled:
        await double(99)
        raise


@workflow
async def counts_down(n: int) -> str:
    await double(n)
    if n:
        raise Continued(b'{"n":%d}' % (n - 1))
    return "done"


@workflow
async def renews(seconds: float, again: bool) -> str:
    """With `again`, continues as new at the event `go` and leaves its task behind."""
    if again:
        program.machine().spawn("/side", slow(seconds))
        await program.wait_for_event("go", None)
        raise Continued(b'{"seconds":1,"again":false}')
    program.machine().spawn("/side", slow(seconds))
    await program.sleep(5_000)
    return "done"


@workflow
async def races() -> str:
    """A sibling fails in the very step in which the other task is asked for."""

    async def breaks() -> None:
        raise ValueError("at once")

    await program.gather([slow(60), breaks()])
    return "never"


@workflow
async def uses_asyncio() -> None:
    await asyncio.sleep(1)


@workflow
async def exits() -> None:
    raise SystemExit(3)
