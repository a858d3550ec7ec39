"""Moments as the API writes them: ISO 8601 in UTC, with milliseconds and a ``Z``."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, overload

import msgspec

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""``2026-02-23T16:30:00.123Z``: sorts as text, and `datetime.fromisoformat` reads it."""


_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """A moment with its zone as milliseconds since 1970; what is finer is rounded up."""
    return -((_EPOCH - at) // _MS)


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


@overload
def moment(at_ms: int) -> str: ...


@overload
def moment(at_ms: int | None) -> str | None: ...


def moment(at_ms: int | None) -> str | None:
    """Milliseconds since 1970 as the API writes them; None stays None."""
    if at_ms is None:
        return None
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_to_the_second(seconds)}{milliseconds:03d}Z"
