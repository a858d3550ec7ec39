"""One example of each body, made of the very structs that are sent, and one of each problem.

They tell one story: an execution of the workflow ``weather``, which asks a service for the weather
and waits for an event before it goes on.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from perdure.api.problems import CODES, TYPE_PREFIX, ProblemBody
from perdure.model.status import Status
from perdure.ports.runtime import Problem
from perdure.wire import executions, logs, replies, requests, tasks, workflows

_ID = "exec-374bao9rm0000"
_CREATED, _STARTED, _LATER, _ENDED = (
    f"2026-02-23T16:30:{seconds}Z" for seconds in ("00.123", "00.125", "00.391", "02.707")
)
_INPUTS = msgspec.Raw(b'{"query":"weather in Seattle"}')
_ANSWER = msgspec.Raw(b'{"city":"Seattle","temperature":11.5}')
_TAGS = {"team": "forecasts"}

_HEAD = executions.Head(
    execution_id=_ID,
    workflow_id="weather",
    workflow_version="1",
    status=Status.RUNNING,
    created_at=_CREATED,
    started_at=_STARTED,
    completed_at=None,
    tags=_TAGS,
)
_LINES = [
    logs.LogRecord(
        seq=1, timestamp=_STARTED, level="INFO", task=None, message="started", fields=None
    ),
    logs.LogRecord(
        seq=2,
        timestamp=_LATER,
        level="INFO",
        task="observe",
        message="observed Seattle",
        fields=msgspec.Raw(b'{"station":"KSEA"}'),
    ),
]
_WHOLE = executions.Whole(
    execution_id=_ID,
    workflow_id="weather",
    workflow_version="1",
    status=Status.COMPLETED,
    created_at=_CREATED,
    started_at=_STARTED,
    completed_at=_ENDED,
    tags=_TAGS,
    inputs=_INPUTS,
    result=_ANSWER,
    error=None,
    current_tasks=[],
    waiting_for=[],
    created_by="admin",
    attempt=1,
    cancel_requested_at=None,
    paused_at=None,
    duration_ms=2582,
    logs=_LINES,
)
_RUN = tasks.TaskRun(
    position="/do/0/observe",
    name="observe",
    kind="task",
    status="completed",
    attempt=1,
    started_at=_STARTED,
    completed_at=_LATER,
    input=msgspec.Raw(b'{"city":"Seattle"}'),
    output=_ANSWER,
)
_WORKFLOW = workflows.Workflow(
    workflow_id="weather",
    version="1",
    kind="python",
    title="The weather in a city, observed now.",
    tags={},
    digest="sha256:2c26b46b68ffc68ff99b453c1d304134",
    timeout_ms=None,
    retired_at=None,
    input_schema=msgspec.Raw(
        b'{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}'
    ),
)

DOCUMENT: Mapping[str, Any] = {
    "document": {"dsl": "1.0.3", "namespace": "default", "name": "greet", "version": "1.0.0"},
    "do": [{"greet": {"set": {"greeting": '${ "Hello, " + .name }'}}}],
}
"""A document to register."""

EXAMPLES: Mapping[type[msgspec.Struct], msgspec.Struct] = {
    type(example): example
    for example in (
        _HEAD,
        _WHOLE,
        _LINES[1],
        executions.ExecutionsPage(executions=[_HEAD], next_cursor="Wn9xLrB0ZXhlYy0zNzRi"),
        logs.LogsPage(logs=_LINES, next_cursor=None),
        tasks.TasksPage(tasks=[_RUN], next_cursor=None),
        workflows.Workflows(workflows=[_WORKFLOW], problems=[], next_cursor=None),
        workflows.Versions(versions=[_WORKFLOW], next_cursor=None),
        workflows.WholeWorkflow(
            **msgspec.structs.asdict(_WORKFLOW), source="async def weather(query: str): ..."
        ),
        workflows.Validity(
            valid=False,
            problems=[
                workflows.DocumentProblem(
                    location="/do/0/observe/cal",
                    line=8,
                    column=7,
                    message="cal is not known (did you mean call?)",
                )
            ],
        ),
        replies.EventReceipt(execution_id=_ID, name="paid", id="order-7", duplicate=False),
        replies.Alive(),
        replies.Ready(),
        requests.Execute(inputs=_INPUTS, tags=_TAGS, timeout="1h30m"),
        requests.SendEvent(data=msgspec.Raw(b'{"amount":12}'), id="order-7"),
        requests.Nothing(),
    )
}
"""By the struct that is sent or answered with."""

FILE_EXAMPLES: Mapping[str, str] = {
    "text/plain": f"{_LATER} INFO [observe] observed Seattle\n",
    "application/x-ndjson": msgspec.json.encode(_LINES[1]).decode() + "\n",
}
"""Files that are no JSON, by their media types."""

_PROBLEM_MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "invalid_json": {
        "detail": "the body is not JSON: expected ':', at line 1, column 10",
        "offset": 9,
    },
    "invalid_idempotency_key": {
        "detail": "the header Idempotency-Key is empty: nothing was started",
        "errors": [Problem("Idempotency-Key", "is empty")],
    },
    "invalid_cursor": {
        "detail": "the cursor is none of this list: start again without one",
        "errors": [Problem("?cursor", "is no cursor of this list")],
    },
    "invalid_request": {
        "detail": "the body is not valid: see `errors`",
        "errors": [Problem("/timeot", "is not known; did you mean 'timeout'?")],
    },
    "invalid_inputs": {
        "detail": "the inputs do not fit the workflow's schema: see `errors`",
        "errors": [Problem("/inputs", '"query" is a required property')],
    },
    "unsupported_task": {
        "detail": "greeter version 1.0.0 has tasks that are not executed yet: call grpc at "
        "/do/0/greet",
    },
    "invalid_document": {
        "detail": "the document is not valid: one problem; nothing was registered",
        "errors": [
            Problem("/do/0/observe/cal", "line 8, column 7: cal is not known (did you mean call?)")
        ],
    },
    "version_conflict": {
        "detail": "version '1.0.0' of workflow 'weather' has other content: it is registered. "
        "Versions never change: give the document a new `version`",
    },
    "too_deep": {
        "detail": "inputs is nested more than 100 levels deep",
        "errors": [Problem("/inputs", "is nested too deeply")],
    },
    "already_ended": {
        "detail": f"{_ID} is completed",
        "execution_status": Status.COMPLETED,
    },
    "internal_error": {
        "detail": "the server failed to answer; its log tells why under request 5f2b1c0de4a89d37",
        "request_id": "5f2b1c0de4a89d37",
    },
}


def problem_example(code: str) -> ProblemBody:
    """A problem with this code, as a client gets it."""
    known = CODES[code]
    return ProblemBody(
        type=TYPE_PREFIX + code,
        title=known.title,
        status=known.status,
        code=code,
        **{"detail": known.meaning, **_PROBLEM_MEMBERS.get(code, {})},
    )
