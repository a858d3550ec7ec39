"""Generations of code: which one serves, and which are kept for what began with them.

A generation is the workers that import the same code; the first is that of the start, each reload
makes another.
- New executions, and those that have not begun, go to the current generation.
- One that runs goes on where it began, as long as a worker of that generation lives and serves
  the digest of its workflow; else where its digest is served; else in the current generation,
  which replays it, and holds it if the code does not fit.
- Of former generations KEPT are kept, without the workers that they do not need. What an older one
  owns moves on, and tasks in flight end where they are.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from perdure.engine.handle import Handle

KEPT = 3


class Pin(NamedTuple):
    """What decides on the code that an execution goes on with.

    `started_at` is in milliseconds since 1970, None for one that has not begun.
    """

    workflow_id: str
    version: str
    digest: str
    started_at: int | None = None


class Generations:
    """The current generation, and the former ones. They are numbered from 1."""

    def __init__(self) -> None:
        self.current = 1
        self._latest = 1
        self._since_ms = {1: 0}
        """When each began to serve; without those that are not kept."""

    def begin(self) -> int:
        """The number of a generation that is to serve."""
        self._latest += 1
        return self._latest

    def promote(self, generation: int, now_ms: int) -> None:
        """A generation serves from now on."""
        self.current = generation
        self._since_ms[generation] = now_ms
        while len(self._since_ms) > KEPT + 1:
            del self._since_ms[min(self._since_ms)]

    def choose(self, handles: Iterable[Handle], pin: Pin | None) -> Handle | None:
        """The worker for an execution; None where there is none now."""
        begun = pin is not None and pin.started_at is not None
        best: Handle | None = None
        best_rank = (False, False, 0, 0)
        for handle in handles:
            if not handle.usable or handle.suspect is not None:
                continue
            fits = pin is not None and handle.served.get(pin[:2]) == pin.digest
            if handle.generation != self.current and not (begun and fits):
                continue
            is_home = begun and fits and handle.generation == self._home(pin)
            rank = (is_home, fits, handle.generation, -len(handle.owned))
            if best is None or rank > best_rank:
                best, best_rank = handle, rank
        return best

    def _home(self, pin: Pin | None) -> int:
        """The generation that served when an execution began; 0 if it is not kept."""
        started_at = 0 if pin is None else pin.started_at or 0
        began = [number for number, since in self._since_ms.items() if since <= started_at]
        return max(began, default=0)

    def superfluous(
        self, handles: Iterable[Handle], wanted: int, is_busy: Callable[[Handle], bool]
    ) -> list[Handle]:
        """Workers to drain, where `wanted` are to serve: first those that are to be replaced."""
        usable = [h for h in handles if h.usable and h.suspect is None]
        serving = [h for h in usable if h.generation == self.current]
        serving.sort(key=lambda h: (not h.leaving, len(h.owned), h.number))
        found = serving[: max(0, len(serving) - wanted)]
        former = [h for h in usable if h.generation < self.current]
        for generation in sorted({h.generation for h in former}):
            workers = [h for h in former if h.generation == generation]
            if generation not in self._since_ms:
                found += workers
            else:
                idle = [h for h in workers if not is_busy(h)]
                found += idle[1:] if len(idle) == len(workers) else idle
        return found
