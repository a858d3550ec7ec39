"""Tasks and workflows that take all memory, in workers that may have only so much of it."""

import resource

from perdure import gather, task, workflow
from tests.support.served.innocents import wait, work

LIMIT_BYTES = 700 * 1024**2
resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))


def _hoard(piece_bytes: int) -> int:
    hoard = []
    while True:
        hoard.append(bytearray(piece_bytes))


@task
async def hoards(piece_bytes: int) -> int:
    """Take memory on the loop until there is none."""
    return _hoard(piece_bytes)


@task
def hoards_in_a_thread(piece_bytes: int) -> int:
    """Take memory in a thread until there is none."""
    return _hoard(piece_bytes)


@task(process=True)
def hoards_in_a_process(piece_bytes: int) -> int:
    """Take memory in a process of its own until there is none."""
    return _hoard(piece_bytes)


@workflow(id="hoards")
async def hoards_on_the_loop(piece_bytes: int) -> int:
    """An async task that takes all memory."""
    return await hoards(piece_bytes)


@workflow(id="hoards-in-a-thread")
async def hoards_in_threads(piece_bytes: int) -> int:
    """A plain task that takes all memory."""
    return await hoards_in_a_thread(piece_bytes)


@workflow(id="hoards-in-a-process")
async def hoards_in_processes(piece_bytes: int) -> int:
    """A task in a process of its own that takes all memory."""
    return await hoards_in_a_process(piece_bytes)


@workflow(id="hoards-in-its-code")
async def hoards_in_its_code(piece_bytes: int) -> int:
    """Workflow code that takes all memory."""
    return _hoard(piece_bytes)


@workflow(id="innocent")
async def innocent(seconds: float) -> list[float]:
    """Tasks on the loop and in a thread at once."""
    return list(await gather(wait(seconds), work(seconds)))
