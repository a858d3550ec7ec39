"""Workflows that want too much of everything."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from perdure import continue_as_new, gather, task, wait_for_event, workflow

log = logging.getLogger(__name__)

_TOO_FEW = "too few arguments: %s %s"


# -- logs --------------------------------------------------------------------------------------


@task
async def logs_on_the_loop(lines: int, length: int) -> int:
    """Log without a pause, and never let the loop breathe."""
    for number in range(lines):
        log.info("%d %s", number, "x" * length)
    return lines


@task
def logs_in_a_thread(lines: int, length: int) -> int:
    """Log without a pause."""
    for number in range(lines):
        log.info("%d %s", number, "x" * length)
    return lines


@task(process=True)
def logs_in_a_process(lines: int, length: int) -> int:
    """Log without a pause."""
    for number in range(lines):
        log.info("%d %s", number, "x" * length)
    return lines


@workflow(id="logs")
async def logs(where: str, lines: int, length: int) -> int:
    """A task that logs a lot, or the workflow itself."""
    if where == "loop":
        return await logs_on_the_loop(lines, length)
    if where == "thread":
        return await logs_in_a_thread(lines, length)
    if where == "process":
        return await logs_in_a_process(lines, length)
    for number in range(lines):
        log.info("%d %s", number, "x" * length)
    return lines


@task
async def logs_oddly() -> None:
    """Log what cannot be written, and what cannot be shown."""

    class Unprintable:
        def __repr__(self) -> str:
            raise ValueError("no")

    log.info("half a pair: \ud800")
    log.info(_TOO_FEW, 1)
    log.info("unprintable: %s", Unprintable())
    log.info("odd fields", extra={"a": {1, 2}, "b": object(), "c": "\ud800", "d": float("nan")})
    log.info("a\nb\0c")
    log.info(12)


@workflow(id="logs-oddly")
async def logs_odd_things() -> None:
    """A task with odd lines, and a workflow with some."""
    await logs_oddly()
    log.info("half a pair: \ud800")
    log.info(_TOO_FEW, 1)


# -- many of everything ------------------------------------------------------------------------


@task
async def count(n: int) -> int:
    """Return what was given."""
    return n


@task
async def large(size: int) -> str:
    """Return a text of this size."""
    return "x" * size


@workflow(id="gathers")
async def gathers(branches: int) -> int:
    """Many tasks at once."""
    return sum(await gather(*(count(n) for n in range(branches))))


@workflow(id="steps")
async def steps(rounds: int, branches: int) -> int:
    """Many tasks, some at once."""
    done = 0
    for _ in range(rounds):
        done += len(await gather(*(count(n) for n in range(branches))))
    return done


@workflow(id="hoards-results")
async def hoards_results(rounds: int, size: int) -> int:
    """Large results, one after the other."""
    done = 0
    for _ in range(rounds):
        done += len(await large(size))
    return done


@workflow(id="continues")
async def continues(left: int, done: int = 0) -> int:
    """Go on as new, again and again."""
    done += await count(1)
    if left > 1:
        continue_as_new(left=left - 1, done=done)
    return done


@workflow(id="collects")
async def collects(number: int) -> list[Any]:
    """Events, in the order in which they come."""
    return [await wait_for_event("item") for _ in range(number)]


# -- the running limit -------------------------------------------------------------------------


@task
async def note(trace: str, text: str, seconds: float) -> None:
    """Write when it begins and when it ends."""
    with Path(trace).open("a") as file:
        file.write(f"+{text}\n")
    await asyncio.sleep(seconds)
    with Path(trace).open("a") as file:
        file.write(f"-{text}\n")


@workflow(id="notes")
async def notes(trace: str, text: str, seconds: float = 0.05) -> None:
    """Write when it begins and when it ends."""
    await note(trace, text, seconds)


@workflow(id="quick")
async def quick(n: int = 1) -> int:
    """Two short tasks."""
    return await count(2 * await count(2 * n))
