"""The log of an execution."""

from perdure.api import cursors
from perdure.api.queries import LogsQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.wire.logs import LogsPage, log_record


async def page(request: Request) -> Reply:
    """Log records in order."""
    query = request.query(LogsQuery)
    belongs_to = f"logs of {request.execution_id}"
    after_seq = int(cursors.start(belongs_to, query.cursor) or 0)
    found = await request.runtime.logs(request.execution_id, after_seq, query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return json_reply(
        200,
        LogsPage(
            logs=[log_record(each) for each in shown],
            next_cursor=cursors.written(belongs_to, str(shown[-1].seq)) if more else None,
        ),
    )
