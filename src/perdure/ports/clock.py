"""Time, injected."""

from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_ms(self) -> int:
        """The wall clock: milliseconds since 1970 in UTC. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps, of no meaning but in differences."""
        ...
