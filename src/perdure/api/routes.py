"""Every route: what it takes, what it answers, and the codes of its own.

The order is that in which paths are tried; the one that is called most comes first.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from perdure.api import (
    events,
    executions,
    health,
    lists,
    logs,
    queries,
    starting,
    tasks,
    workflows,
)
from perdure.api.replies import Reply
from perdure.api.requests import Request
from perdure.wire import replies, requests
from perdure.wire.executions import ExecutionsPage, Head, Whole
from perdure.wire.logs import LogRecord, LogsPage
from perdure.wire.tasks import TasksPage
from perdure.wire.workflows import Versions, WholeWorkflow, Workflows

Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """One operation.

    `replies` maps each status of success to its body, None where it has none; `codes` are the
    problems of this route, beside those that every route has (`ANY_ROUTE`, with a token
    `WITH_TOKEN`, with a body `WITH_BODY`). A public route needs no token. A route with
    `media_types` answers with a file in one of them; `replies` has what it is a sequence of.
    """

    method: str
    path: str
    handler: Handler
    replies: Mapping[int, type[msgspec.Struct] | None]
    body: type[requests.Request] | None = None
    query: type[queries.Query] = queries.Query
    codes: frozenset[str] = field(default_factory=frozenset)
    public: bool = False
    media_types: tuple[str, ...] = ()


ANY_ROUTE = frozenset({"not_found", "method_not_allowed", "invalid_request", "internal_error"})
WITH_TOKEN = frozenset({"unauthorized", "overloaded", "shutting_down"})
WITH_BODY = frozenset({"invalid_json", "too_large", "too_deep", "unsupported_media_type"})

_KNOWN = frozenset({"unknown_execution"})
_PAGED = _KNOWN | {"invalid_cursor"}
_CHANGED = _KNOWN | {"already_ended", "conflict", "storage_failed"}
_STARTED = frozenset(
    {
        "unknown_workflow",
        "unknown_version",
        "invalid_inputs",
        "storage_failed",
        "not_ready",
        "workflow_retired",
        "invalid_idempotency_key",
        "idempotency_mismatch",
    }
)

_SERVED = frozenset({"unknown_workflow", "not_ready"})

_WORKFLOW = "/api/workflows/{workflow_id}"
_EXECUTION = "/api/executions/{execution_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/api/workflows/{workflow_id}/execute",
        starting.execute,
        {202: Head, 200: Whole},
        body=requests.Execute,
        codes=_STARTED,
    ),
    Route(
        "GET",
        _EXECUTION,
        executions.show,
        {200: Whole, 304: None},
        query=queries.WholeQuery,
        codes=_KNOWN,
    ),
    Route(
        "GET",
        "/api/executions",
        lists.page,
        {200: ExecutionsPage},
        query=queries.ExecutionsQuery,
        codes=frozenset({"invalid_cursor"}),
    ),
    Route(
        "GET",
        f"{_EXECUTION}/logs",
        logs.page,
        {200: LogsPage},
        query=queries.LogsQuery,
        codes=_PAGED,
    ),
    Route(
        "GET",
        f"{_EXECUTION}/logs/download",
        logs.download,
        {200: LogRecord},
        query=queries.DownloadQuery,
        codes=_KNOWN,
        media_types=tuple(file.media_type for file in logs.FILES.values()),
    ),
    Route(
        "GET",
        f"{_EXECUTION}/tasks",
        tasks.page,
        {200: TasksPage},
        query=queries.TasksQuery,
        codes=_PAGED,
    ),
    Route(
        "POST",
        f"{_EXECUTION}/cancel",
        executions.cancel,
        {202: Head, 200: Head},
        body=requests.Nothing,
        codes=_CHANGED,
    ),
    Route(
        "POST",
        f"{_EXECUTION}/pause",
        executions.pause,
        {200: Head},
        body=requests.Nothing,
        codes=_CHANGED | {"already_paused"},
    ),
    Route(
        "POST",
        f"{_EXECUTION}/resume",
        executions.resume,
        {200: Head},
        body=requests.Nothing,
        codes=_CHANGED | {"not_paused"},
    ),
    Route(
        "POST",
        _EXECUTION + "/events/{name:path}",
        events.send,
        {202: replies.EventReceipt, 200: replies.EventReceipt},
        body=requests.SendEvent,
        codes=_CHANGED | {"inbox_full"},
    ),
    Route(
        "GET",
        "/api/workflows",
        workflows.page,
        {200: Workflows},
        query=queries.WorkflowsQuery,
        codes=frozenset({"invalid_cursor", "not_ready"}),
    ),
    Route("GET", _WORKFLOW, workflows.show, {200: WholeWorkflow}, codes=_SERVED),
    Route(
        "DELETE",
        _WORKFLOW,
        workflows.retire,
        {204: None},
        body=requests.Nothing,
        codes=_SERVED | {"storage_failed"},
    ),
    Route(
        "GET",
        f"{_WORKFLOW}/versions",
        workflows.versions,
        {200: Versions},
        query=queries.VersionsQuery,
        codes=_SERVED | {"invalid_cursor"},
    ),
    Route(
        "GET",
        _WORKFLOW + "/versions/{version:path}",
        workflows.version,
        {200: WholeWorkflow},
        codes=_SERVED | {"unknown_version"},
    ),
    Route("GET", "/healthz", health.alive, {200: replies.Alive}, public=True),
    Route(
        "GET",
        "/readyz",
        health.ready,
        {200: replies.Ready},
        codes=frozenset({"not_ready"}),
        public=True,
    ),
)
