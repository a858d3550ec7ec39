"""Tasks and workflows that take their worker down with them.

`trace` is a file that they write a line to each time they run: their process id.
"""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from perdure import gather, sleep, task, workflow
from tests.support.served.innocents import wait, work


def note(trace: str) -> int:
    """Write that something runs; how often it has by now."""
    with Path(trace).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return len(Path(trace).read_text().splitlines())


def _exit() -> None:
    os._exit(1)


def _segfault() -> None:
    ctypes.string_at(0)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _aborts() -> None:
    os.abort()


_WAYS: dict[str, Callable[[], None]] = {
    "exit": _exit,
    "segfault": _segfault,
    "killed": _killed,
    "aborts": _aborts,
}


# -- those that die ----------------------------------------------------------------------------


@task(retries=10)
async def dies(way: str, trace: str) -> None:
    """End the process of the loop."""
    note(trace)
    _WAYS[way]()


@task(retries=10)
def dies_in_a_thread(way: str, trace: str) -> None:
    """End the process from a thread of it."""
    note(trace)
    _WAYS[way]()


@task(process=True)
def dies_in_a_process(way: str, trace: str) -> None:
    """End a process of its own."""
    note(trace)
    _WAYS[way]()


@task
async def dies_out_of_sight(way: str, trace: str) -> None:
    """End the process from a thread of its own making, while it only waits itself."""
    note(trace)

    def die() -> None:
        time.sleep(0.2)
        _WAYS[way]()

    await asyncio.to_thread(die)


@task
async def dies_later(trace: str) -> None:
    """End the process after some time on the loop with others."""
    note(trace)
    await asyncio.sleep(0.2)
    os._exit(1)


@task
async def dies_until(times: int, trace: str) -> int:
    """End the process the first times, then succeed."""
    ran = note(trace)
    if ran <= times:
        os._exit(1)
    return ran


@task(on_crash="fail")
async def dies_and_is_not_repeated(trace: str) -> None:
    """End the process; it must not be begun again."""
    note(trace)
    os._exit(1)


@workflow(id="poison")
async def poison(way: str, trace: str) -> None:
    """A task that ends its worker each time."""
    await dies(way, trace)


@workflow(id="poison-in-a-thread")
async def poison_in_a_thread(way: str, trace: str) -> None:
    """A plain task that ends its worker each time."""
    await dies_in_a_thread(way, trace)


@workflow(id="poison-in-a-process")
async def poison_in_a_process(way: str, trace: str) -> None:
    """A task that ends its own process, and nobody else's."""
    await dies_in_a_process(way, trace)


@workflow(id="poison-out-of-sight")
async def poison_out_of_sight(way: str, trace: str) -> None:
    """A task that ends its worker by code that perdure does not know of."""
    await dies_out_of_sight(way, trace)


@workflow(id="late-poison")
async def late_poison(trace: str) -> None:
    """A task that ends its worker while it shares it with others."""
    await dies_later(trace)


@workflow(id="poison-in-its-code")
async def poison_in_its_code(way: str, trace: str, after: str = "") -> None:
    """Workflow code that ends its worker, at its start or after a wait."""
    if after:
        await sleep(after)
    note(trace)
    _WAYS[way]()


@workflow(id="dies-once")
async def dies_once(times: int, trace: str) -> int:
    """A task that ends its worker at first, and then succeeds."""
    return await dies_until(times, trace)


@workflow(id="dies-again-and-again")
async def dies_again_and_again(rounds: int, trace: str) -> int:
    """Two deaths for every task, but each of them succeeds in the end."""
    for number in range(rounds):
        await dies_until(2, f"{trace}-{number}")
    return rounds


@workflow(id="not-repeated")
async def not_repeated(trace: str) -> None:
    """A task that must not run twice."""
    await dies_and_is_not_repeated(trace)


# -- innocents ---------------------------------------------------------------------------------


@workflow(id="quick")
async def quick(n: int = 1) -> int:
    """Two short tasks."""
    await wait(0)
    await wait(0)
    return 4 * n


@workflow(id="innocent")
async def innocent(seconds: float) -> list[float]:
    """A task that waits on the loop, and another."""
    return [await wait(seconds), await wait(seconds)]


@workflow(id="innocent-in-a-thread")
async def innocent_in_a_thread(seconds: float) -> float:
    """A task that waits in a thread."""
    return await work(seconds)


@workflow(id="innocent-branches")
async def innocent_branches(seconds: float) -> list[float]:
    """Tasks at once, on the loop and in threads."""
    branches = [wait(seconds), work(seconds), wait(seconds), work(seconds)]
    return list(await gather(*branches))
