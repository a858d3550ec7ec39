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
    registering,
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
from perdure.wire.workflows import Validity, Versions, WholeWorkflow, Workflows

Handler = Callable[[Request], Awaitable[Reply]]

Struct = type[msgspec.Struct]
Content = Struct | tuple[Struct, ...] | Mapping[str, Struct | str] | None
"""What a reply carries: a struct as JSON, or one of several; by media type, a struct or an example;
or nothing."""


@dataclass(frozen=True)
class Route:
    """One operation, as the server serves it and as its OpenAPI document tells it.

    `replies` maps each status of success to what it carries; `codes` are the problems of this
    route, beside those that every route has (`ANY_ROUTE`, with a token `WITH_TOKEN`, with a body
    `WITH_BODY`). `takes` are the request headers that it heeds, `headers` those of its answers, by
    status; each is described in `headers.py`. A public route needs no token. One that takes a
    `document` has that for its body, and no struct. A route with
    `media_types` answers with a file in one of them; `replies` has what it is a sequence of.

    `name` is what generated clients call it, by default made of the handler's name and module;
    `resource` is what it belongs to, by default the module. What it does is told by the handler's
    docstring.
    """

    method: str
    path: str
    handler: Handler
    replies: Mapping[int, Content]
    body: type[requests.Request] | None = None
    document: bool = False
    query: type[queries.Query] = queries.Query
    codes: frozenset[str] = field(default_factory=frozenset)
    public: bool = False
    media_types: tuple[str, ...] = ()
    name: str = ""
    resource: str = ""
    takes: tuple[str, ...] = ()
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The resource that it belongs to."""
        return self.resource or self.handler.__module__.rpartition(".")[2]

    @property
    def operation(self) -> str:
        """Its name, which no other route has."""
        return self.name or f"{self.handler.__name__}_{self.tag}"

    @property
    def all_codes(self) -> frozenset[str]:
        """Every problem that it may answer with."""
        with_token = frozenset() if self.public else WITH_TOKEN
        with_body = WITH_BODY if self.body else WITH_DOCUMENT if self.document else frozenset()
        return ANY_ROUTE | with_token | with_body | self.codes


ANY_ROUTE = frozenset(
    {
        "not_found",
        "method_not_allowed",
        "invalid_request",
        "internal_error",
        "malformed_request",
        "head_too_large",
        "too_many_connections",
    }
)
WITH_TOKEN = frozenset({"unauthorized", "forbidden_origin", "overloaded", "shutting_down"})
WITH_DOCUMENT = frozenset({"too_large", "unsupported_media_type", "too_slow"})
WITH_BODY = WITH_DOCUMENT | {"invalid_json", "too_deep"}

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
        "unsupported_task",
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
        {202: Head, 200: (Whole, Head)},
        name="execute_workflow",
        resource="executions",
        body=requests.Execute,
        takes=("Prefer", "Idempotency-Key"),
        headers={202: ("Location",), 200: ("Location", "Preference-Applied")},
        codes=_STARTED,
    ),
    Route(
        "GET",
        _EXECUTION,
        executions.show,
        {200: Whole, 304: None},
        name="get_execution",
        takes=("Prefer", "If-None-Match"),
        headers={
            200: ("ETag", "Preference-Applied"),
            304: ("ETag", "Preference-Applied"),
        },
        query=queries.WholeQuery,
        codes=_KNOWN,
    ),
    Route(
        "GET",
        "/api/executions",
        lists.page,
        {200: ExecutionsPage},
        name="list_executions",
        resource="executions",
        query=queries.ExecutionsQuery,
        codes=frozenset({"invalid_cursor"}),
    ),
    Route(
        "GET",
        f"{_EXECUTION}/logs",
        logs.page,
        {200: LogsPage},
        name="list_logs",
        query=queries.LogsQuery,
        codes=_PAGED,
    ),
    Route(
        "GET",
        f"{_EXECUTION}/logs/download",
        logs.download,
        {200: LogRecord},
        name="download_logs",
        takes=("Accept-Encoding",),
        headers={200: ("Content-Disposition", "Content-Encoding", "Vary")},
        query=queries.DownloadQuery,
        codes=_KNOWN,
        media_types=tuple(file.media_type for file in logs.FILES.values()),
    ),
    Route(
        "GET",
        f"{_EXECUTION}/tasks",
        tasks.page,
        {200: TasksPage},
        name="list_tasks",
        query=queries.TasksQuery,
        codes=_PAGED,
    ),
    Route(
        "POST",
        f"{_EXECUTION}/cancel",
        executions.cancel,
        {202: Head, 200: Head},
        name="cancel_execution",
        body=requests.Nothing,
        codes=_CHANGED,
    ),
    Route(
        "POST",
        f"{_EXECUTION}/pause",
        executions.pause,
        {200: Head},
        name="pause_execution",
        body=requests.Nothing,
        codes=_CHANGED | {"already_paused"},
    ),
    Route(
        "POST",
        f"{_EXECUTION}/resume",
        executions.resume,
        {200: Head},
        name="resume_execution",
        body=requests.Nothing,
        codes=_CHANGED | {"not_paused"},
    ),
    Route(
        "POST",
        _EXECUTION + "/events/{name:path}",
        events.send,
        {202: replies.EventReceipt, 200: replies.EventReceipt},
        name="send_event",
        body=requests.SendEvent,
        codes=_CHANGED | {"inbox_full"},
    ),
    Route(
        "GET",
        "/api/workflows",
        workflows.page,
        {200: Workflows},
        name="list_workflows",
        query=queries.WorkflowsQuery,
        codes=frozenset({"invalid_cursor", "not_ready"}),
    ),
    Route(
        "POST",
        "/api/workflows",
        registering.register,
        {201: WholeWorkflow, 200: WholeWorkflow},
        name="register_workflow",
        resource="workflows",
        document=True,
        headers={201: ("Location",), 200: ("Location",)},
        codes=frozenset(
            {
                "invalid_document",
                "version_conflict",
                "registry_full",
                "not_ready",
                "storage_failed",
            }
        ),
    ),
    Route(
        "POST",
        "/api/workflows/validate",
        registering.validate,
        {200: Validity},
        name="validate_workflow",
        resource="workflows",
        document=True,
        codes=frozenset({"invalid_document", "not_ready"}),
    ),
    Route(
        "GET",
        _WORKFLOW,
        workflows.show,
        {200: WholeWorkflow},
        name="get_workflow",
        codes=_SERVED,
    ),
    Route(
        "DELETE",
        _WORKFLOW,
        workflows.retire,
        {204: None},
        name="retire_workflow",
        body=requests.Nothing,
        codes=_SERVED | {"storage_failed"},
    ),
    Route(
        "GET",
        f"{_WORKFLOW}/versions",
        workflows.versions,
        {200: Versions},
        name="list_workflow_versions",
        query=queries.VersionsQuery,
        codes=_SERVED | {"invalid_cursor"},
    ),
    Route(
        "GET",
        _WORKFLOW + "/versions/{version:path}",
        workflows.version,
        {200: WholeWorkflow},
        name="get_workflow_version",
        codes=_SERVED | {"unknown_version"},
    ),
    Route("GET", "/healthz", health.alive, {200: replies.Alive}, name="check_alive", public=True),
    Route(
        "GET",
        "/readyz",
        health.ready,
        {200: replies.Ready},
        name="check_ready",
        codes=frozenset({"not_ready"}),
        public=True,
    ),
)
