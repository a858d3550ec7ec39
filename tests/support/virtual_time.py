"""An event loop whose time jumps: when nothing is ready, it is the time of the next timer.

So hours of waiting pass in no time, and the order of everything is the same in every run.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_MS = 1_771_864_200_000
"""The wall clock at the start of every simulation: 2026-02-23T16:30:00Z."""


class StandstillError(AssertionError):
    """Nothing is ready and no timer is set: what is awaited never comes."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: hands the time that it should have waited to the loop."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError("nothing is ready and no timer is set")
        if timeout > 0:
            self.loop.advance(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time. It serves no sockets and no threads."""

    def __init__(self) -> None:
        self._now_s = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds since the start of the simulation."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds


class VirtualClock:
    """The clocks of a simulation. `jump_ms` moves the wall clock only, as an operator might."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start_ms: int = START_MS) -> None:
        self._loop = loop
        self.start_ms = start_ms
        self.jump_ms = 0

    def now_ms(self) -> int:
        """The wall clock: milliseconds since 1970."""
        return self.start_ms + self.jump_ms + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._loop.time()


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
