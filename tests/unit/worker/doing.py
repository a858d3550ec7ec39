"""What several tests of the worker do."""

import msgspec

from perdure.link import messages as m
from perdure.machine import events as e
from tests.support.scripted_engine import ScriptedEngine
from tests.support.virtual_time import START_MS
from tests.unit.worker import flows

SLOW = m.RunningAttempt("/slow", 1)
"""The attempt that `begin_slow` begins."""


def go(value: str = "1") -> e.EventReceived:
    """The event that `flows.listens` waits for."""
    return e.EventReceived(time=START_MS, name="go", data=msgspec.Raw(value.encode()))


async def begin_slow(engine: ScriptedEngine, seconds: float = 60.0) -> int:
    """Start an execution, and wait until its task runs; its epoch."""
    epoch = engine.load("waits_slowly", {"seconds": seconds})
    await engine.until(lambda: flows.begun == ["slow"])
    return epoch
