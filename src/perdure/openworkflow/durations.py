"""Lengths of time as documents write them (dsl-reference, Duration).

A year counts 365 days and a month 30: the specification's pattern allows both, and says nothing of
calendars.
"""

import re
from typing import Any

import msgspec

from perdure.model import failure as failures
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.types import DurationParts

_ISO = re.compile(
    r"P(?=.)(?:(?P<years>\d+(?:\.\d+)?)Y)?(?:(?P<months>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_UNITS_MS = {
    "years": 365 * 86_400_000,
    "months": 30 * 86_400_000,
    "weeks": 7 * 86_400_000,
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1_000,
    "milliseconds": 1,
}
_LONGEST_MS = 100 * 366 * 86_400_000
_LONGEST_TEXT = 64


def milliseconds(duration: DurationParts | str) -> int:
    """A constant length in whole milliseconds. Raises ValueError for none, or over 100 years."""
    if isinstance(duration, str):
        match = _ISO.fullmatch(duration) if len(duration) <= _LONGEST_TEXT else None
        if match is None:
            shown = duration[:_LONGEST_TEXT]
            raise ValueError(f"{shown!r} is no ISO 8601 duration such as 'PT30S'")
        amounts = {unit: float(text) for unit, text in match.groupdict().items() if text}
    else:
        amounts = {unit: getattr(duration, unit) for unit in duration.__struct_fields__}
    total = sum(amount * _UNITS_MS[unit] for unit, amount in amounts.items())
    if not 0 <= total <= _LONGEST_MS:
        raise ValueError(f"{duration!r} is not between 0 and 100 years")
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
