"""Lists, page by page."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeVar

from perdure.client.connection import Connection, Request
from perdure.client.exceptions import UnexpectedAnswerError
from perdure.wire.executions import ExecutionsPage
from perdure.wire.logs import LogsPage
from perdure.wire.tasks import TasksPage
from perdure.wire.workflows import Versions, Workflows

P = TypeVar("P", ExecutionsPage, LogsPage, TasksPage, Workflows, Versions)


async def pages(connection: Connection, request: Request, type_: type[P]) -> AsyncIterator[P]:
    """Every page, from that which `request` asks for. The next is asked for when it is wanted."""
    seen: str | None = None
    page = await connection.decoded(request, type_)
    while True:
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor == seen:
            raise UnexpectedAnswerError(f"{connection.url} sends the same page again and again")
        seen = cursor
        following = replace(request, query=[*request.query, ("cursor", cursor)])
        page = await connection.decoded(following, type_)
