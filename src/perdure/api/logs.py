"""The log of an execution: a page of it, and all of it as a file."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, get_args

import msgspec
from msgspec import UNSET

from perdure.api import cursors
from perdure.api.codings import takes_gzip
from perdure.api.queries import DownloadQuery, LogsQuery, Moment
from perdure.api.replies import FileReply, Reply, json_reply
from perdure.api.requests import Request
from perdure.model.execution import Level
from perdure.ports.logs import FileForm, LogFile, LogFilter, LogQuery
from perdure.wire.logs import LogsPage, log_record

_LEVELS: tuple[Level, ...] = get_args(Level)
"""From the lowest to the highest."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_encode = msgspec.json.Encoder().encode


class File(NamedTuple):
    """What a form of the download is called."""

    media_type: str
    suffix: str


FILES: Mapping[FileForm, File] = {
    "text": File("text/plain; charset=utf-8", "log"),
    "json": File("application/json", "json"),
    "ndjson": File("application/x-ndjson", "ndjson"),
}


async def page(request: Request) -> Reply:
    """Log records in one of two orders."""
    query = request.query(LogsQuery)
    execution_id = request.execution_id
    wanted = _filter(query)
    belongs_to = f"logs of {execution_id} by {query.order}: {_encode(wanted).decode()}"
    found = await request.runtime.logs(
        execution_id,
        LogQuery(
            filter=wanted,
            descending=query.order == "-seq",
            after=cursors.number(belongs_to, query.cursor),
            limit=query.limit,
        ),
    )
    more = found.next_after
    return json_reply(
        200,
        LogsPage(
            logs=[log_record(each) for each in found.records],
            next_cursor=None if more is None else cursors.written(belongs_to, str(more)),
        ),
    )


async def download(request: Request) -> Reply:
    """The log as a file, of the lines that are there now, compressed where the client takes it."""
    query = request.query(DownloadQuery)
    execution_id = request.execution_id
    gzip = takes_gzip(request.header_lines(b"accept-encoding"))
    file = LogFile(form=query.format, filter=_filter(query), descending=query.order == "-seq")
    opened = await request.runtime.download(execution_id, file, gzip=gzip)
    media_type, suffix = FILES[query.format]
    headers = [
        (b"content-disposition", f'attachment; filename="{execution_id}.{suffix}"'.encode()),
        (b"vary", b"Accept-Encoding"),
    ]
    if gzip:
        headers.append((b"content-encoding", b"gzip"))
    return FileReply(opened, request.client_left, media_type.encode(), headers)


def _filter(query: LogsQuery | DownloadQuery) -> LogFilter:
    is_position = query.task is not UNSET and query.task.startswith("/")
    task = None if query.task is UNSET else query.task
    return LogFilter(
        levels=_levels(query),
        task=None if is_position else task,
        position=task if is_position else None,
        since=None if query.since is UNSET else _milliseconds(query.since),
        until=None if query.until is UNSET else _milliseconds(query.until),
        text=None if query.q is UNSET else query.q,
    )


def _levels(query: LogsQuery | DownloadQuery) -> tuple[Level, ...] | None:
    lowest = 0 if query.min_level is UNSET else _LEVELS.index(query.min_level)
    wanted = tuple(level for level in _LEVELS[lowest:] if not query.level or level in query.level)
    return None if wanted == _LEVELS else wanted


def _milliseconds(moment: Moment) -> int:
    """The first whole millisecond since 1970 that is not before the moment."""
    return -((_EPOCH - moment) // _MILLISECOND)
