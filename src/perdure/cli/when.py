"""Moments on the command line."""

from datetime import datetime, timedelta

from perdure.model.durations import milliseconds
from perdure.model.exceptions import UsageError


def ago(option: str, text: str | None) -> datetime | None:
    """A moment, or a length of time before now. Raises UsageError."""
    return _moment(option, text, -1)


def ahead(option: str, text: str | None) -> datetime | None:
    """A moment, or a length of time from now on. Raises UsageError."""
    return _moment(option, text, 1)


def _moment(option: str, text: str | None, direction: int) -> datetime | None:
    """ISO 8601; without a zone on the clock of this place, as people write it."""
    if text is None:
        return None
    try:
        return datetime.now().astimezone() + direction * timedelta(milliseconds=milliseconds(text))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        way = "from now on" if direction > 0 else "ago"
        raise UsageError(
            f"{option} {text!r}: a moment is expected, such as 2026-02-23T16:30:00Z, "
            f"or a length of time, such as 2h for two hours {way}"
        ) from None
