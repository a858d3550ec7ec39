"""The list of executions: filters, orders and pages."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET, UnsetType

from perdure.api import cursors
from perdure.api.problems import RequestError
from perdure.api.queries import ExecutionsQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.model.identifiers import execution_key
from perdure.ports.executions import ListRequest, Place
from perdure.ports.runtime import Problem
from perdure.wire.executions import ExecutionsPage, head

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LATEST = 1 << 62
_PLACE = msgspec.json.Decoder(Place)


async def page(request: Request) -> Reply:
    """Executions that fit the filters, in the order that is asked for."""
    query = request.query(ExecutionsQuery)
    belongs_to = list_name(query)
    start = cursors.start(belongs_to, query.cursor)
    after = None if start is None else _place(start)
    found = await request.runtime.executions(list_request(query, after))
    next_cursor = None
    if found.next is not None:
        next_cursor = cursors.written(belongs_to, msgspec.json.encode(found.next).decode())
    return json_reply(
        200,
        ExecutionsPage(
            executions=[head(each) for each in found.executions],
            next_cursor=next_cursor,
            total=UNSET if found.total is None else found.total.count,
            total_is_exact=UNSET if found.total is None else found.total.is_exact,
        ),
    )


def list_request(query: ExecutionsQuery, after: Place | None) -> ListRequest:
    """What a query asks of the runtime."""
    return ListRequest(
        workflow_ids=frozenset(query.workflow_id),
        statuses=frozenset(query.status),
        tags=frozenset(query.tag),
        created_by=_given(query.created_by),
        created_after=_milliseconds(query.created_after),
        created_before=_milliseconds(query.created_before),
        started_after=_milliseconds(query.started_after),
        started_before=_milliseconds(query.started_before),
        text=_given(query.q),
        order=query.order,
        limit=query.limit,
        after=after,
        total=query.total,
    )


def list_name(query: ExecutionsQuery) -> str:
    """What its cursors belong to: the filters and the order. Pages of any size are of one list."""
    whole = msgspec.structs.replace(list_request(query, None), limit=0, total=False)
    return f"executions {msgspec.json.encode(whole, order='deterministic').decode()}"


def _place(written: str) -> Place:
    """The place in a cursor, which anybody may have written who knows how."""
    try:
        place = _PLACE.decode(written)
        if execution_key(place.execution_id) is not None and abs(place.at) < _LATEST:
            return place
    except msgspec.MsgspecError:
        pass
    raise RequestError(
        "invalid_cursor",
        "the cursor is none of this list: start again without one",
        errors=[Problem("?cursor", "is no cursor of this list")],
    )


def _given(text: str | UnsetType) -> str | None:
    return None if text is UNSET else text


def _milliseconds(moment: datetime | UnsetType) -> int | None:
    """The first whole millisecond that is not before a moment."""
    return None if moment is UNSET else -((_EPOCH - moment) // _MILLISECOND)
