"""The client: what the API does, as methods."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import httpx
import msgspec

from perdure.client.connection import Answer, Connection
from perdure.client.exceptions import (
    ConflictError,
    ExecutionCancelledError,
    ExecutionFailedError,
)
from perdure.client.filters import ExecutionFilters, LogFilters, Moment, query
from perdure.client.following import WAIT_S, Seen, followed, until_ended
from perdure.client.pages import pages
from perdure.client.requests import (
    delete,
    get,
    of_execution,
    of_workflow,
    post,
    post_document,
    start,
)
from perdure.client.retrying import Retrying
from perdure.model import durations
from perdure.model.durations import Duration
from perdure.model.encoding import encode
from perdure.model.status import Status
from perdure.wire.executions import ExecutionsPage, Head, Whole
from perdure.wire.logs import LogRecord, LogsPage
from perdure.wire.replies import EventReceipt
from perdure.wire.tasks import TaskRun, TasksPage
from perdure.wire.workflows import Validity, Versions, WholeWorkflow, Workflow, Workflows

LOGS_ALONG = 100
"""How many of the newest log records come with an execution, unless told otherwise."""
_EXECUTIONS_A_PAGE = 200
_RECORDS_A_PAGE = 1000
_TASKS_A_PAGE = 100

Inputs = Mapping[str, Any]
DownloadFormat = Literal["text", "json", "ndjson"]


class Client:
    """A client of one server; use it as ``async with Client() as client``, in one event loop.

    `url` is that of the server, by default `PERDURE_URL`, else ``http://127.0.0.1:8000``; `token`
    is a key of the server, by default `PERDURE_TOKEN`. `timeout` is how long the server may be
    silent before an answer counts as lost; `retry_for` is how long a request is tried again while
    the server is not reachable or turns it away for now, ``"0s"`` for one try. Tests may put a
    `transport` of their own in place of the network.

    Every method may raise `NotReachableError`, `UnauthorizedError`, `UnavailableError`, `ApiError`
    for a fault of the server, and `UnexpectedAnswerError`; those that name an execution or a
    workflow `NotFoundError`. Moments in results are texts such as ``2026-02-23T16:30:00.123Z``,
    which `datetime.fromisoformat` reads; inputs, results and other values are decoded JSON.
    To bound the time of any call, put it into ``asyncio.timeout``.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: Duration = "30s",
        retry_for: Duration = "30s",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            url,
            token,
            timeout_s=durations.milliseconds(timeout) / 1000,
            retrying=Retrying(durations.milliseconds(retry_for) / 1000),
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"<Client of {self.url}>"

    @property
    def url(self) -> str:
        """The server's URL."""
        return self._connection.url

    def keep_trying_for(self, duration: Duration) -> None:
        """From now on, try a request again for this long; see `retry_for`."""
        self._connection.retrying.for_s = durations.milliseconds(duration) / 1000

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. What was started goes on."""
        await self._connection.close()

    # -- start ---------------------------------------------------------------------------------

    async def execute(
        self,
        workflow_id: str,
        inputs: Inputs | None = None,
        *,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        priority: int | None = None,
        start_at: Moment | None = None,
        timeout: Duration | None = None,
        idempotency_key: str | None = None,
    ) -> Head:
        """Start an execution; its start is on the server's disk on return.

        Without `version` the highest release is executed; a higher `priority`, from -1000 to 1000,
        is admitted earlier; it begins not before `start_at`; `timeout` is of the whole execution.
        A call with the `idempotency_key` of an earlier one, and the same arguments, returns that
        execution; without one, a fresh key sees to it that no try of this call starts a second.

        Raises RefusedInputError where the inputs do not fit the workflow's schema, each problem
        located, and where the key was used with other arguments; EncodingError for inputs that
        have no JSON, or over 2 MB of it; ValueError for a `start_at` without a zone and for a key
        that is no text of 1 to 255 visible ASCII characters.
        """
        request = start(
            workflow_id, inputs, version, tags, priority, start_at, timeout, idempotency_key
        )
        return await self._connection.decoded(request, Head)

    async def run(
        self,
        workflow_id: str,
        inputs: Inputs | None = None,
        *,
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        priority: int | None = None,
        start_at: Moment | None = None,
        timeout: Duration | None = None,
        idempotency_key: str | None = None,
        check: bool = True,
    ) -> Whole:
        """Start an execution and wait for its end, however long: all of it, with its `result`.

        With `check`, one that did not complete raises ExecutionFailedError or
        ExecutionCancelledError; without, look at its `status`. Arguments and other errors are
        those of `execute`. Whoever leaves early, by a timeout or a cancelled task, cancels
        nothing: the execution goes on.
        """
        request = start(
            workflow_id, inputs, version, tags, priority, start_at, timeout, idempotency_key
        )
        answer = await self._connection.answer(replace(request, wait_s=WAIT_S))
        ended = self._ended_within(answer)
        if ended is not None:
            return _checked(ended, check)
        head = self._connection.decode(answer, Head)
        return await self.wait(head.execution_id, check=check)

    # -- look ----------------------------------------------------------------------------------

    async def execution(self, execution_id: str, *, logs: int = LOGS_ALONG) -> Whole:
        """All of an execution, with its newest `logs` log records, at most 1000, in order."""
        return await self._look(execution_id, logs, 0)

    async def wait(self, execution_id: str, *, check: bool = True, logs: int = LOGS_ALONG) -> Whole:
        """Wait until an execution has ended, however long: all of it, as `run` returns it."""

        async def look(wait_s: float) -> Whole:
            return await self._look(execution_id, logs, wait_s)

        return _checked(await until_ended(look), check)

    async def executions_page(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        total: bool = False,
        **filters: Unpack[ExecutionFilters],
    ) -> ExecutionsPage:
        """One page of executions, at most 200; `next_cursor` leads to the next one.

        Raises RefusedInputError for a cursor of a list with other filters.
        """
        sent = {**filters, "limit": limit, "cursor": cursor, "total": total}
        return await self._connection.decoded(get("/api/executions", query(sent)), ExecutionsPage)

    async def executions(self, **filters: Unpack[ExecutionFilters]) -> AsyncIterator[Head]:
        """Every execution that the filters let through, page by page, the newest first by default.

        Several of `workflow_id` or `status` mean any of them, several of `tags` all of them.
        """
        request = get("/api/executions", [*query(filters), ("limit", str(_EXECUTIONS_A_PAGE))])
        async for page in pages(self._connection, request, ExecutionsPage):
            for head in page.executions:
                yield head

    async def tasks(self, execution_id: str) -> AsyncIterator[TaskRun]:
        """Every task run of an execution, in start order, page by page.

        `input`, `output` and `error` are `msgspec.UNSET` where there is none.
        """
        request = get(of_execution(execution_id, "tasks"), [("limit", str(_TASKS_A_PAGE))])
        async for page in pages(self._connection, request, TasksPage):
            for task in page.tasks:
                yield task

    # -- logs ----------------------------------------------------------------------------------

    async def logs(
        self, execution_id: str, *, newest_first: bool = False, **filters: Unpack[LogFilters]
    ) -> AsyncIterator[LogRecord]:
        """Every log record of an execution until now, page by page, the oldest first."""
        order = "-seq" if newest_first else None
        sent = query({**filters, "order": order, "limit": _RECORDS_A_PAGE})
        request = get(of_execution(execution_id, "logs"), sent)
        async for page in pages(self._connection, request, LogsPage):
            for record in page.logs:
                yield record

    async def follow_logs(
        self, execution_id: str, **filters: Unpack[LogFilters]
    ) -> AsyncIterator[LogRecord]:
        """Every log record, and those that come, a second late at most, until it has ended."""
        async for seen in self.follow(execution_id, **filters):
            for record in seen.logs:
                yield record

    async def follow(self, execution_id: str, **filters: Unpack[LogFilters]) -> AsyncIterator[Seen]:
        """An execution as it is, now and every second, until it has ended, with what it has logged.

        The last item has its end, and the last of its log; `filters` choose log records.
        """
        sent = query(filters)

        async def look(wait_s: float) -> Whole:
            return await self._look(execution_id, 0, wait_s)

        async def read_log(cursor: str | None, limit: int) -> LogsPage:
            more = query({"limit": limit, "cursor": cursor})
            request = get(of_execution(execution_id, "logs"), [*sent, *more])
            return await self._connection.decoded(request, LogsPage)

        async for seen in followed(look, read_log):
            yield seen

    @asynccontextmanager
    async def download_logs(
        self,
        execution_id: str,
        format: DownloadFormat = "text",
        **filters: Unpack[LogFilters],
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The log as a file, in pieces of bytes as they arrive, unpacked; nothing is kept.

        ``async with client.download_logs(id, "ndjson") as pieces: async for piece in pieces``.
        A download that breaks off raises NotReachableError; begin it again.
        """
        sent = query({**filters, "format": format})
        async with self._connection.streamed(
            get(of_execution(execution_id, "logs", "download"), sent)
        ) as response:
            yield response.aiter_bytes()

    # -- control -------------------------------------------------------------------------------

    async def cancel(self, execution_id: str) -> Head:
        """Ask for an execution to be cancelled; it may still be stopping, see its `status`.

        Raises ConflictError (`already_ended`) where it has ended.
        """
        try:
            return await self._control(execution_id, "cancel")
        except ConflictError as error:
            now = await self._after_lost_answer(execution_id, error)
            if now is None or now.status is not Status.CANCELLED:
                raise
            return now

    async def pause(self, execution_id: str) -> Head:
        """Pause an execution at once.

        Raises ConflictError where it has ended (`already_ended`) or is paused (`already_paused`).
        """
        try:
            return await self._control(execution_id, "pause")
        except ConflictError as error:
            now = await self._after_lost_answer(execution_id, error)
            if now is None or now.status is not Status.PAUSED:
                raise
            return now

    async def resume(self, execution_id: str) -> Head:
        """Let a paused execution go on.

        Raises ConflictError where it has ended (`already_ended`) or is not paused (`not_paused`).
        """
        try:
            return await self._control(execution_id, "resume")
        except ConflictError as error:
            now = await self._after_lost_answer(execution_id, error)
            if now is None or now.status is Status.PAUSED:
                raise
            return now

    async def send_event(
        self, execution_id: str, name: str, data: Any = None, *, event_id: str | None = None
    ) -> EventReceipt:
        """Hand an event to an execution, which gets it by ``wait_for_event(name)``, early or late.

        An event with an `event_id` is received once; without one, a fresh id sees to it that no
        try of this call is received twice. Raises ConflictError where the execution has ended,
        EncodingError for `data` that has no JSON, or over 2 MB of it.
        """
        body = {
            "data": msgspec.Raw(encode(data, f"the data of event {name}")),
            "id": event_id or uuid.uuid4().hex,
        }
        request = post(of_execution(execution_id, "events", name), body)
        return await self._connection.decoded(request, EventReceipt)

    # -- workflows -----------------------------------------------------------------------------

    async def workflows(self, *, retired: bool = False) -> AsyncIterator[Workflow]:
        """What can be executed, by id, in the highest version; with `retired` also what was."""
        async for page in self.workflows_pages(retired=retired):
            for workflow in page.workflows:
                yield workflow

    async def workflows_pages(self, *, retired: bool = False) -> AsyncIterator[Workflows]:
        """What can be executed, page by page, each with the `problems` of what was not loaded."""
        request = get("/api/workflows", query({"retired": retired}))
        async for page in pages(self._connection, request, Workflows):
            yield page

    async def workflow(self, workflow_id: str, version: str | None = None) -> WholeWorkflow:
        """A version of a workflow, with its source; the one executed where none is named."""
        below = () if version is None else ("versions", version)
        return await self._connection.decoded(get(of_workflow(workflow_id, *below)), WholeWorkflow)

    async def versions(self, workflow_id: str) -> AsyncIterator[Workflow]:
        """Every version of a workflow, the highest first, page by page."""
        request = get(of_workflow(workflow_id, "versions"))
        async for page in pages(self._connection, request, Versions):
            for workflow in page.versions:
                yield workflow

    async def register_workflow(self, document: str | bytes) -> WholeWorkflow:
        """Register a document of the Open Workflow Specification, a text in YAML or JSON.

        It can be executed on return, and is kept. Registering the same again changes nothing.
        Raises RefusedInputError where it is not valid, with every problem in its `errors`, and
        ConflictError (`version_conflict`) where its version was registered with other content.
        """
        request = post_document("/api/workflows", document)
        return await self._connection.decoded(request, WholeWorkflow)

    async def validate_workflow(self, document: str | bytes) -> Validity:
        """Every problem of a document, in its order; nothing is registered."""
        request = post_document("/api/workflows/validate", document)
        return await self._connection.decoded(request, Validity)

    async def retire(self, workflow_id: str) -> None:
        """Take a workflow out of service: no new executions, the old ones stay."""
        await self._connection.answer(delete(of_workflow(workflow_id)))

    # -- inside --------------------------------------------------------------------------------

    async def _look(self, execution_id: str, logs: int, wait_s: float) -> Whole:
        request = get(of_execution(execution_id), [("logs", str(logs))])
        return await self._connection.decoded(replace(request, wait_s=wait_s), Whole)

    async def _control(self, execution_id: str, what: str) -> Head:
        return await self._connection.decoded(post(of_execution(execution_id, what), {}), Head)

    async def _after_lost_answer(self, execution_id: str, error: ConflictError) -> Head | None:
        """How it is now, where the state that is in conflict may be of this client's making."""
        return await self._look(execution_id, 0, 0) if error.after_lost_answer else None

    def _ended_within(self, answer: Answer) -> Whole | None:
        """The whole execution, where the server waited for its end."""
        if answer.status != HTTPStatus.OK or "preference-applied" not in answer.headers:
            return None
        whole = self._connection.decode(answer, Whole)
        return whole if whole.status.ended else None


def _checked(execution: Whole, check: bool) -> Whole:
    if check and execution.status is Status.FAILED:
        raise ExecutionFailedError(execution)
    if check and execution.status is Status.CANCELLED:
        raise ExecutionCancelledError(execution)
    return execution
