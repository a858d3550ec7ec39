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
from perdure.model.status import Status
from perdure.ports.executions import COUNT_LIMIT, LONGEST_PAGE, Order
from perdure.ports.logs import FileForm

Kind = Literal["text", "scalar", "repeatable"]
"""How a parameter is read: as it is, as a number or boolean, or as all its texts in order."""

_WRITTEN = "ISO 8601 with a zone; a `+` in it is sent as `%2B`"
Moment = Annotated[
    datetime,
    Meta(
        tz=True,
        description=_WRITTEN,
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
    """A page of executions: those that fit every filter, in an order."""

    workflow_id: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,128}$", examples=["weather"])], ...],
        Meta(max_length=20, description="Of this workflow, or of one of several"),
    ] = ()
    status: Annotated[
        tuple[Status, ...], Meta(max_length=20, description="With this status, or one of several")
    ] = ()
    tag: Annotated[
        tuple[
            Annotated[
                str, Meta(pattern="^[^:]+:", max_length=385, examples=["team:payments", "urgent:"])
            ],
            ...,
        ],
        Meta(max_length=10, description="With this tag, as `key:value`; of several, with each"),
    ] = ()
    created_by: (
        Annotated[
            str, Meta(min_length=1, max_length=256, description="By whom or what it was started")
        ]
        | UnsetType
    ) = UNSET
    created_after: (
        Annotated[Moment, Meta(description=f"Created at this time or later. {_WRITTEN}")]
        | UnsetType
    ) = UNSET
    created_before: (
        Annotated[Moment, Meta(description=f"Created before this time. {_WRITTEN}")] | UnsetType
    ) = UNSET
    started_after: (
        Annotated[Moment, Meta(description=f"Started at this time or later. {_WRITTEN}")]
        | UnsetType
    ) = UNSET
    started_before: (
        Annotated[Moment, Meta(description=f"Started before this time. {_WRITTEN}")] | UnsetType
    ) = UNSET
    q: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=256,
                description="With this text in its error or a tag, letters from A to Z in capitals "
                "or small letters. A page may then be short, even empty, and still have a cursor",
                examples=["connection refused"],
            ),
        ]
        | UnsetType
    ) = UNSET
    order: Annotated[
        Order,
        Meta(
            description="`-` puts the newest first. Ordered by `started_at` or `completed_at`, the "
            "list has only executions that have started, or completed"
        ),
    ] = Order.NEWEST_CREATED
    limit: Annotated[int, Meta(ge=1, le=LONGEST_PAGE, description="Executions on a page")] = 50
    cursor: Annotated[
        str,
        Meta(
            description="`next_cursor` of the page before, to be sent with the same filters and "
            "order"
        ),
    ] = ""
    total: Annotated[
        bool, Meta(description=f"Count them too, up to {COUNT_LIMIT:,} (`total_is_exact`)")
    ] = False


class _LogFilterQuery(Query, frozen=True, kw_only=True):
    """Which log records are wanted, those that every parameter lets pass, and their order."""

    level: Annotated[
        tuple[Level, ...], Meta(max_length=20, description="Of this level, or of one of several")
    ] = ()
    min_level: (
        Annotated[Level, Meta(description="Of this level, or of a higher one")] | UnsetType
    ) = UNSET
    task: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=4096,
                description="Of the task at this position, where it begins with `/`, else of every "
                "task with this name",
                examples=["observe", "/observe@1"],
            ),
        ]
        | UnsetType
    ) = UNSET
    since: (
        Annotated[Moment, Meta(description="From this time on: ISO 8601 with a zone")] | UnsetType
    ) = UNSET
    until: (
        Annotated[Moment, Meta(description="Before this time: ISO 8601 with a zone")] | UnsetType
    ) = UNSET
    q: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=256,
                description="With this text in the message, in capitals or small letters",
                examples=["connection refused"],
            ),
        ]
        | UnsetType
    ) = UNSET
    order: Annotated[Literal["seq", "-seq"], Meta(description="`-seq` puts the newest first")] = (
        "seq"
    )


class LogsQuery(_LogFilterQuery, frozen=True, kw_only=True):
    """A page of log records.

    At most 20,000 are looked at for a page, and it ends after 4 MB of messages and fields.
    """

    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Records on a page; it may have fewer, even none, and still have a cursor",
        ),
    ] = 1000
    cursor: Annotated[
        str,
        Meta(
            description="`next_cursor` of the page before, to be sent with the same filters and "
            "order"
        ),
    ] = ""


class DownloadQuery(_LogFilterQuery, frozen=True, kw_only=True):
    """A log as a file."""

    format: Annotated[
        FileForm,
        Meta(description="Lines of text, one JSON array, or one JSON object a line"),
    ] = "text"


class WorkflowsQuery(Query, frozen=True, kw_only=True):
    """A page of workflows; retired ones are among them only where they are asked for."""

    retired: bool = False
    limit: Annotated[int, Meta(ge=1, le=200)] = 100
    cursor: str = ""


class VersionsQuery(Query, frozen=True, kw_only=True):
    """A page of a workflow's versions."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 100
    cursor: str = ""


class TasksQuery(Query, frozen=True, kw_only=True):
    """A page of task runs."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str = ""
