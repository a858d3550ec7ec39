"""Lengths of time as documents write them, in milliseconds (dsl-reference, Duration)."""

from typing import Any

import msgspec

from perdure.model import failure as failures
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.formats import LONGEST_DURATION_MS, duration_ms
from perdure.openworkflow.types import DurationParts

_LONGEST_TEXT = 64
_UNITS_MS = {
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1_000,
    "milliseconds": 1,
}


def milliseconds(duration: DurationParts | str) -> int:
    """A constant length. Raises ValueError for none, and for one over 100 years."""
    total: float
    if isinstance(duration, str):
        total = duration_ms(duration[:_LONGEST_TEXT])
    else:
        total = sum(getattr(duration, unit) * length for unit, length in _UNITS_MS.items())
    if not 0 <= total <= LONGEST_DURATION_MS:
        raise ValueError("it is not between 0 and 100 years")
    return round(total)


def resulting(value: Any) -> int:
    """The length, in milliseconds, that an expression resulted in: ISO 8601, or units.

    Raises WorkflowError (expression) for anything else.
    """
    try:
        if isinstance(value, dict) and value:
            return milliseconds(msgspec.convert(value, _Units))
        if isinstance(value, str):
            return milliseconds(value)
    except (ValueError, msgspec.ValidationError) as error:
        raise WorkflowError(failures.expression(f"the duration: {error}")) from None
    text = "the duration has to be an ISO 8601 text such as 'PT30S', or units such as {seconds: 30}"
    raise WorkflowError(failures.expression(text))


class _Units(DurationParts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that came as data."""
