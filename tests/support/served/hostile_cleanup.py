"""Workflows that clean up when they are cancelled, or are paused in the middle of things.

`trace` is a file that tasks write a line to: what they did.
"""

import asyncio
from pathlib import Path
from typing import Any

import perdure
from perdure import (
    Cancelled,
    ChildFailedError,
    Retry,
    gather,
    start_workflow,
    task,
    wait_for_event,
    workflow,
)


@task
async def note(trace: str, text: str, seconds: float = 0.0) -> str:
    """Write a line, after some time."""
    await asyncio.sleep(seconds)
    with Path(trace).open("a") as file:
        file.write(f"{text}\n")
    return text


@task
async def hang(trace: str) -> None:
    """Wait for ever; say when that begins, and when it is over."""
    with Path(trace).open("a") as file:
        file.write("hangs\n")
    try:
        await asyncio.Event().wait()
    finally:
        with Path(trace).open("a") as file:
            file.write("hung\n")


@workflow(id="cleans-up")
async def cleans_up(trace: str, seconds: float = 0.0) -> None:
    """Tasks, a wait and a gather in `finally`."""
    try:
        await hang(trace)
    finally:
        await note(trace, "first", seconds)
        await perdure.sleep("100ms")
        await gather(note(trace, "second"), note(trace, "third"))


@workflow(id="catches")
async def catches(trace: str) -> str:
    """Catch the cancellation and clean up; it is cancelled all the same once it is raised again."""
    try:
        await perdure.sleep("1h")
    except Cancelled:
        await note(trace, "caught")
        raise
    return "not reached"


@workflow(id="fails-in-cleanup")
async def fails_in_cleanup(trace: str) -> None:
    """Clean up with something that fails."""
    try:
        await hang(trace)
    finally:
        await note(trace, "before")
        raise ValueError("the cleanup failed")


@workflow(id="cleans-up-for-ever")
async def cleans_up_for_ever(trace: str) -> None:
    """Never be done with the cleanup."""
    try:
        await hang(trace)
    finally:
        number = 0
        while True:
            await note(trace, f"round {number}", 0.1)
            number += 1


@workflow(id="hangs-in-cleanup")
async def hangs_in_cleanup(trace: str) -> None:
    """Wait for ever in the cleanup."""
    try:
        await hang(trace)
    finally:
        await perdure.sleep("1h")


@workflow(id="starts-again")
async def starts_again(trace: str) -> None:
    """Do not take the cancellation for an answer."""
    while True:
        try:
            await hang(trace)
        except Cancelled:
            await note(trace, "again")


# -- parents and children ----------------------------------------------------------------------


@workflow(id="parent")
async def parent(trace: str) -> None:
    """Await a child that awaits another."""
    try:
        await child(trace, 2)
    except Cancelled:
        await note(trace, "parent cleaned up")
        raise


@workflow(id="child")
async def child(trace: str, levels: int) -> None:
    """A child that hangs, or awaits one more."""
    try:
        if levels > 1:
            await child(trace, levels - 1)
        else:
            await hang(trace)
    finally:
        await note(trace, f"child {levels} cleaned up")


@workflow(id="parent-that-lets-go")
async def parent_that_lets_go(trace: str) -> str:
    """Start a child that lives on its own, then wait for ever."""
    handle = await start_workflow("goes-on", {"trace": trace})
    await note(trace, handle.execution_id)
    await perdure.sleep("1h")
    return handle.execution_id


@workflow(id="goes-on")
async def goes_on(trace: str) -> str:
    """Wait for an event."""
    return str(await wait_for_event("go"))


@workflow(id="parent-of-a-cancelled-child")
async def parent_of_a_cancelled_child(trace: str) -> str:
    """Tell what becomes of a child that somebody else cancels."""
    try:
        await child(trace, 1)
    except ChildFailedError as error:
        return error.failure.type
    return "not reached"


# -- gather ------------------------------------------------------------------------------------


@task
async def fails(seconds: float) -> None:
    """Fail after a while."""
    await asyncio.sleep(seconds)
    raise ValueError("this branch fails")


@workflow(id="failing-branch")
async def failing_branch(trace: str) -> None:
    """A branch fails while its siblings hang, wait, and have children."""

    async def careful() -> None:
        try:
            await perdure.sleep("1h")
        finally:
            await note(trace, "sibling cleaned up")

    await gather(fails(0.5), hang(trace), careful(), child(trace, 1), wait_for_event("never"))


# -- pauses ------------------------------------------------------------------------------------


@task
async def work(trace: str, text: str, seconds: float) -> str:
    """Write a line at the beginning and at the end."""
    with Path(trace).open("a") as file:
        file.write(f"{text} begins\n")
    await asyncio.sleep(seconds)
    with Path(trace).open("a") as file:
        file.write(f"{text} ends\n")
    return text


@workflow(id="works")
async def works(trace: str) -> list[str]:
    """Tasks one after the other."""
    return [await work(trace, "first", 1.0), await work(trace, "second", 0.0)]


@workflow(id="naps")
async def naps(length: str) -> str:
    """Wait for a while."""
    await perdure.sleep(length)
    return "awake"


@workflow(id="collects")
async def collects(count: int) -> list[Any]:
    """Events, in the order in which they come."""
    return [await wait_for_event("item") for _ in range(count)]


@task(retries=Retry(5, delay="300ms", factor=1, jitter=0))
async def fails_at_first(trace: str, times: int) -> int:
    """Fail some times, then succeed."""
    with Path(trace).open("a") as file:
        file.write("tried\n")
    tried = len(Path(trace).read_text().splitlines())
    if tried <= times:
        raise ValueError(f"attempt {tried} fails")
    return tried


@workflow(id="retries")
async def retries(trace: str, times: int) -> int:
    """A task with retries."""
    return await fails_at_first(trace, times)
