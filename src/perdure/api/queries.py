"""The query parameters that routes take. Lists end at their highest limit.

A field that is a tuple may be given several times. Numbers and booleans are written as in JSON,
times as ISO 8601 with a zone. What may be left out without a default of its own is UNSET, since
no text stands for null in a query.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from perdure.model.execution import Level
from perdure.ports.logs import FileForm

Kind = Literal["text", "scalar", "repeatable"]
"""How a parameter is read: as it is, as a number or boolean, or as all its texts in order."""

Moment = Annotated[
    datetime,
    Meta(
        tz=True,
        description="ISO 8601 with a zone; a `+` in it is sent as `%2B`",
        examples=["2026-02-23T16:30:00.123Z", "2026-02-23T17:30:00+01:00"],
    ),
]


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all queries, and the one without parameters."""


@cache
def kinds_of(query: type[Query]) -> Mapping[str, Kind]:
    """The parameters of a query by name, and how each is read."""
    return {
        field.encode_name: _kind(msgspec.inspect.type_info(field.type))
        for field in msgspec.structs.fields(query)
    }


def _kind(type_: msgspec.inspect.Type) -> Kind:
    match type_:
        case msgspec.inspect.Metadata(type=inner):
            return _kind(inner)
        case msgspec.inspect.VarTupleType():
            return "repeatable"
        case msgspec.inspect.IntType() | msgspec.inspect.BoolType():
            return "scalar"
        case _:
            return "text"


class WholeQuery(Query, frozen=True, kw_only=True):
    """How many of the newest log records come along."""

    logs: Annotated[int, Meta(ge=0, le=1000)] = 100


class ExecutionsQuery(Query, frozen=True, kw_only=True):
    """A page of executions."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str = ""


class _LogFilterQuery(Query, frozen=True, kw_only=True):
    """Which log records are wanted: those that every parameter lets pass.

    `task` that begins with `/` is the position of a task, else a name. `since` is the first moment
    of what is wanted, `until` the first after it. `q` is looked for in messages, in either case.
    """

    level: tuple[Level, ...] = ()
    min_level: Level | UnsetType = UNSET
    task: Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType = UNSET
    since: Moment | UnsetType = UNSET
    until: Moment | UnsetType = UNSET
    q: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    order: Literal["seq", "-seq"] = "seq"


class LogsQuery(_LogFilterQuery, frozen=True, kw_only=True):
    """A page of log records.

    At most 20,000 are looked at for a page, and it ends after 4 MB of messages and fields: it may
    be shorter than `limit`, or empty, and still have a cursor.
    """

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    cursor: str = ""


class DownloadQuery(_LogFilterQuery, frozen=True, kw_only=True):
    """A log as a file: lines of text, one JSON array, or one JSON object a line."""

    format: FileForm = "text"


class TasksQuery(Query, frozen=True, kw_only=True):
    """A page of task runs."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str = ""
