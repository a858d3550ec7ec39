"""The clocks of the machine that perdure runs on."""

import time


class SystemClock:
    """Time as the operating system tells it."""

    def now_ms(self) -> int:
        """The wall clock: milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on the system-wide monotonic clock, the same in every process."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)
