"""Reads of the store that fail for a while leave no execution behind.

Proven with the real engine, store and worker in virtual time: whichever read fails, of those with
which services find and load what is to be done, it is tried again until it succeeds; that is told
once, and so is its end.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from perdure.ports.runtime import StartRequest
from tests.recovery.programs import generated, observe_with
from tests.recovery.simulation import Action, InlineReader, World, execute_to_end

T = TypeVar("T")

PLAN: Any = [
    "seq",
    ["sleep", 60_000],
    ["task", "a", 1, 10],
    ["child", ["task", "b", 0, 10]],
    ["event", "go"],
]
FAILURES = 5


class FailingReader(InlineReader):
    """The first reads by one name fail."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.failures = 0

    async def __call__(self, read: Callable[..., T], *arguments: Any) -> T:
        if read.__name__ == self._name and self.failures < FAILURES:
            self.failures += 1
            raise OSError("the disk cannot be read")
        return await super().__call__(read, *arguments)


@pytest.mark.parametrize("name", ["snapshot", "of_batch", "pending", "due_timers", "next_due_ms"])
def test_reads_that_fail_are_tried_again(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "perdure")
    world = World(tmp_path, {("generated", "1"): generated})
    world.reader = reader = FailingReader(name)
    observe_with(world)
    request = StartRequest(workflow_id="generated", inputs=msgspec.json.encode({"plan": PLAN}))
    execution = world.live(execute_to_end(request, [Action(200, "event", "go")]))
    assert execution.head.status == "completed", execution
    assert reader.failures == FAILURES
    told = [record.getMessage() for record in caplog.records if "store" in record.getMessage()]
    assert told == [
        "a read of the store failed, and is tried again: OSError('the disk cannot be read')",
        "the store can be read again",
    ]
