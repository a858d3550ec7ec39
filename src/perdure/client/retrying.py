"""When to try again: as the server says (`Retry-After`), else with growing, jittered pauses.

Only within a total time, and only requests that may come twice (see `connection`).
"""

import random
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
RETRIED = frozenset({429, 502, 503, 504})
"""Answers after which the same request may succeed."""
LOST = frozenset({502, 504})
"""Answers of a proxy that lost the server's own: the request may have been carried out."""


def retry_after_s(headers: Mapping[str, str], wall_clock: Callable[[], float]) -> float | None:
    """The seconds that `Retry-After` asks for (RFC 9110, section 10.2.3); None without one.

    A date is measured against the answer's own `Date`, so that clocks need not agree, and against
    this machine's clock where it has none. What is neither a number nor a date is passed over.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at_s = _seconds(text)
    if at_s is None:
        return None
    sent_s = _seconds(headers.get("date", ""))
    return max(0.0, at_s - (wall_clock() if sent_s is None else sent_s))


def _seconds(http_date: str) -> float | None:
    try:
        return parsedate_to_datetime(http_date).timestamp()
    except (ValueError, OverflowError):
        return None


class Retrying:
    """How long one request is tried for, and the pauses in between.

    `for_s` is the time from the first try within which the last one may begin; 0 for no second.
    `chance` gives numbers from 0 to 1, `wall_clock` seconds since 1970.
    """

    def __init__(
        self,
        for_s: float,
        *,
        chance: Callable[[], float] = random.random,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.for_s = for_s
        self.wall_clock = wall_clock
        self._chance = chance

    def pause_s(self, tries: int, asked_s: float | None) -> float:
        """How long to wait after so many tries; never less than the server asked for.

        What the server asks for is drawn out by up to a tenth, so that those it turned away
        together do not come back together.
        """
        if asked_s is not None:
            return max(asked_s, FIRST_PAUSE_S) * (1 + self._chance() / 10)
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 30))
        return longest_s * (1 + self._chance()) / 2
