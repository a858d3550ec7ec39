"""The tasks of an execution."""

from perdure.api import cursors
from perdure.api.queries import TasksQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.wire.tasks import TasksPage, task_run


async def page(request: Request) -> Reply:
    """Task runs in start order."""
    query = request.query(TasksQuery)
    belongs_to = f"tasks of {request.execution_id}"
    offset = cursors.number(belongs_to, query.cursor) or 0
    found = await request.runtime.tasks(request.execution_id, offset, query.limit + 1)
    more = len(found) > query.limit
    next_offset = str(offset + query.limit)
    return json_reply(
        200,
        TasksPage(
            tasks=[task_run(each) for each in found[: query.limit]],
            next_cursor=cursors.written(belongs_to, next_offset) if more else None,
        ),
    )
