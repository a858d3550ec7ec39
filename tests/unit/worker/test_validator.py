"""Documents are validated beside the worker, whatever becomes of the process that does it."""

import asyncio
import os
from collections.abc import AsyncIterator
from signal import SIGKILL

import pytest

from perdure.worker import validator as module
from perdure.worker.evaluating import KEPT_BYTES
from perdure.worker.programs import Validation
from perdure.worker.validator import ProcessValidator, validation
from tests.support.registered import UNSUPPORTED, greeting
from tests.support.servers import until_true


class Desk:
    """A validator, and what it has told."""

    def __init__(self) -> None:
        self.validator = ProcessValidator(asyncio.get_running_loop())
        self.told: asyncio.Queue[Validation] = asyncio.Queue()

    def put(self, document: str) -> None:
        self.validator.validate(document.encode(), self.told.put_nowait)

    async def next(self) -> Validation:
        return await asyncio.wait_for(self.told.get(), 60)

    @property
    def pid(self) -> int | None:
        return self.validator._process.pid


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    made.validator.close()


async def test_documents_are_validated_in_turn(desk: Desk) -> None:
    documents = [greeting(), UNSUPPORTED, greeting().replace("do:", "doo:"), "", greeting("é")]
    for document in documents:
        desk.put(document)
    for document in documents:
        assert await desk.next() == validation(document.encode())
    assert validation(greeting().encode()).served
    assert validation(b"").problems


async def test_a_process_that_is_killed_is_replaced(desk: Desk) -> None:
    desk.put(greeting())
    await desk.next()
    assert desk.pid is not None
    os.kill(desk.pid, SIGKILL)
    desk.put(greeting())
    assert (await desk.next()).served


async def test_one_that_takes_too_long_is_answered_and_others_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put(greeting())
    await desk.next()
    with monkeypatch.context() as patched:
        patched.setattr(module, "CPU_S", 0.02)
        expressions = [f"- t{n}: {{set: {{a: '${{ .a{n} + {n} }}'}}}}\n" for n in range(4_000)]
        desk.put(greeting().partition("do:")[0] + "do:\n" + "".join(expressions))
        found = await desk.next()
    assert "of the CPU" in found.failed or "took longer" in found.failed
    assert not found.served
    desk.put(greeting())
    assert (await desk.next()).served


async def test_the_process_ends_when_there_is_nothing_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDLE_S", 0.05)
    desk.put(greeting())
    await desk.next()
    await until_true(lambda: desk.pid is None, "it has ended")
    desk.put(greeting())
    assert (await desk.next()).served


async def test_the_process_of_a_large_worker_is_kept(desk: Desk) -> None:
    """What it has is counted, not what those had that started it."""
    large = bytearray(2 * KEPT_BYTES)
    large[::4096] = b"x" * len(large[::4096])
    desk.put(greeting())
    await desk.next()
    first = desk.pid
    desk.put(greeting())
    await desk.next()
    assert desk.pid == first is not None
