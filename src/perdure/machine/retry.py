"""Retry arithmetic: which attempts there are, and how long to wait before each."""

import msgspec

_LONGEST_MS = 366 * 86_400_000


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When to try again.

    `retries` is the number of attempts after the first; before attempt ``n + 1`` the wait is
    ``delay_ms * factor ** (n - 1)``, at most `maximum_ms`, shortened at random by up to the
    fraction `jitter`.
    """

    retries: int = 0
    delay_ms: int = 1_000
    factor: float = 2.0
    maximum_ms: int = 60_000
    jitter: float = 0.1

    def delay_after(self, attempt: int, draw: float) -> int:
        """Milliseconds to wait after failed attempt `attempt`; `draw` is random in [0, 1)."""
        try:
            grown = self.delay_ms * self.factor ** (attempt - 1)
        except OverflowError:
            grown = float(self.maximum_ms)
        delay = min(grown, self.maximum_ms, _LONGEST_MS)
        return round(delay * (1.0 - self.jitter * draw))

    def allows(self, attempt: int) -> bool:
        """Whether another attempt may follow failed attempt `attempt`."""
        return attempt <= self.retries
