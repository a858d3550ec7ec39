"""What a client would rather have: `Prefer` (RFC 7240)."""

import re
from collections.abc import Sequence

from perdure.api.requests import Request

LONGEST_WAIT_S = 60
"""What `Prefer: wait` is capped at."""
_WAIT = re.compile(rb'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


def wait_s(request: Request) -> int:
    """The seconds that the client would wait for something worth telling; 0 for none."""
    if b"prefer" not in request.headers:
        return 0
    return preferred_wait_s(request.header_lines(b"prefer"))


def preferred_wait_s(lines: Sequence[bytes]) -> int:
    """The seconds of `Prefer: wait`, capped; 0 where it is absent or no number."""
    for preference in b",".join(lines).split(b","):
        wait = _WAIT.fullmatch(preference)
        if wait:
            return min(int(wait[1]), LONGEST_WAIT_S)
    return 0


def waited(seconds: int) -> tuple[bytes, bytes]:
    """The header that says so where it was done as preferred."""
    return (b"preference-applied", b"wait=%d" % seconds)
