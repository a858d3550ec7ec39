"""The query parameters that routes take. Lists end at their highest limit."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all queries, and the one without parameters."""


class WholeQuery(Query, frozen=True, kw_only=True):
    """How many of the newest log records come along."""

    logs: Annotated[int, Meta(ge=0, le=1000)] = 100


class ExecutionsQuery(Query, frozen=True, kw_only=True):
    """A page of executions."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str = ""


class LogsQuery(Query, frozen=True, kw_only=True):
    """A page of log records."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    cursor: str = ""


class TasksQuery(Query, frozen=True, kw_only=True):
    """A page of task runs."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str = ""
