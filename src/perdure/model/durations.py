"""Durations as people write them: ``"1h30m"``, ``"500ms"``, ISO 8601 ``"PT1H"``, or a timedelta."""

import re
from datetime import timedelta

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_ISO = re.compile(
    r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_LONGEST_MS = 100 * 366 * 86_400_000
_LONGEST_TEXT = 64

_EXPECTED = "a duration is a text such as '90s', '1h30m' or 'PT1H', or a timedelta"

Duration = str | timedelta
"""A length of time: text with units (ms, s, m, h, d, w), ISO 8601 without years, or timedelta."""


def milliseconds(duration: Duration) -> int:
    """The duration in whole milliseconds.

    Raises TypeError for another type (a bare number has no unit), ValueError for text that is no
    duration, a negative one, or one over a hundred years.
    """
    if isinstance(duration, timedelta):
        total = duration / timedelta(milliseconds=1)
    elif isinstance(duration, str):
        total = _parsed(duration.strip())
    else:
        raise TypeError(f"{duration!r} has no unit: {_EXPECTED}")
    if not 0 <= total <= _LONGEST_MS:
        raise ValueError(f"{duration!r} is not between 0 and 100 years")
    return round(total)


def text(length_ms: int) -> str:
    """A length in milliseconds as people read it: ``"1h30m"``, ``"0.25s"``."""
    if length_ms < 60_000:
        return f"{length_ms / 1000:g}s"
    parts = []
    for unit in ("d", "h", "m"):
        count, length_ms = divmod(length_ms, _UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if length_ms:
        parts.append(f"{length_ms / 1000:g}s")
    return "".join(parts)


def _parsed(written: str) -> float:
    if len(written) <= _LONGEST_TEXT:
        iso = _ISO.fullmatch(written)
        if iso and not written.endswith(("P", "T")):
            return sum(float(n) * _UNITS_MS[unit] for unit, n in iso.groupdict().items() if n)
        parts = _PART.findall(written)
        if parts and "".join(number + unit for number, unit in parts) == written:
            return sum(float(number) * _UNITS_MS[unit] for number, unit in parts)
    raise ValueError(f"{written[:_LONGEST_TEXT]!r} is no duration: {_EXPECTED}")
