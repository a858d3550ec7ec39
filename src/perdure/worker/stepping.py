"""Steps machines: with no running loop in sight, marked, and with what they log captured.

Workflow code that calls asyncio fails at the call, since there is no running loop while it is
stepped. Async generators are not registered with the loop either: their cleanup would run there.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

from perdure.worker.capture import Capture, StepLines
from perdure.worker.marks import Slot

A = TypeVar("A")
R = TypeVar("R")


class Stepper:
    """Calls into machines."""

    def __init__(self, slot: Slot, capture: Capture) -> None:
        self._slot = slot
        self._capture = capture

    def step(self, mark: bytes, lines: StepLines | None, call: Callable[[A], R], argument: A) -> R:
        """``call(argument)``, as a step of the execution of `mark`; raises what it raises."""
        loop = asyncio._get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        asyncio._set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)
        self._capture.step = lines
        self._slot.set(mark)
        try:
            return call(argument)
        finally:
            self._slot.clear()
            self._capture.step = None
            sys.set_asyncgen_hooks(*hooks)
            asyncio._set_running_loop(loop)
