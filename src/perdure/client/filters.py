"""Filters of lists, and how they are written into a query.

A moment is a `datetime` with a zone, or text in ISO 8601 with one. Names that are not here the
server refuses.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from perdure.model.execution import Level
from perdure.model.status import Status

Moment = datetime | str
ExecutionsOrder = Literal[
    "-created_at", "created_at", "-started_at", "started_at", "-completed_at", "completed_at"
]
StatusName = Literal["pending", "running", "completed", "failed", "paused", "cancelled"]


class ExecutionFilters(TypedDict, total=False):
    """Which executions, and in which order. `q` is text that an error or a tag has."""

    workflow_id: str | Iterable[str]
    status: Status | StatusName | Iterable[Status | StatusName]
    tags: Mapping[str, str]
    created_by: str
    created_after: Moment
    created_before: Moment
    started_after: Moment
    started_before: Moment
    q: str
    order: ExecutionsOrder


class LogFilters(TypedDict, total=False):
    """Which log records. `task` is a position or a name, `q` text that the message has."""

    level: Level | Iterable[Level]
    min_level: Level
    task: str
    since: Moment
    until: Moment
    q: str


def query(filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters; a filter that is None is left out. Raises ValueError for naive moments."""
    return [
        pair
        for name, value in filters.items()
        if value is not None
        for pair in _parameters(name, value)
    ]


def moment(value: Moment) -> str:
    """A moment as the API takes it. Raises ValueError for a datetime without a zone."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no zone: write datetime(..., tzinfo=UTC)")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parameters(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [("tag", f"{key}:{text}") for key, text in value.items()]
    if isinstance(value, bool):
        return [(name, "true")] if value else []
    if isinstance(value, datetime):
        return [(name, moment(value))]
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [(name, str(each)) for each in value]
    return [(name, str(value))]
