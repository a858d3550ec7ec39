"""Starting executions: `POST /api/workflows/{workflow_id}/execute`."""

from perdure.api.idempotency import idempotency_key
from perdure.api.preferences import wait_s, waited
from perdure.api.problems import RequestError
from perdure.api.queries import WholeQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.api.values import checked
from perdure.api.workflows import workflow_id
from perdure.model import durations
from perdure.model.execution import Head
from perdure.ports.runtime import Problem, StartRequest
from perdure.wire.executions import head, whole
from perdure.wire.requests import Execute
from perdure.wire.times import milliseconds

FURTHEST_START_MS = 10 * 366 * 86_400_000
"""How far ahead the moment of a start may be."""
_LOGS_ALONG = WholeQuery().logs


async def execute(request: Request) -> Reply:
    """Start an execution, or find the one that the idempotency key stands for.

    With `Prefer: wait` the answer is all of it, if it ends in time.
    """
    named = workflow_id(request)
    key = idempotency_key(request)
    body = await request.body(Execute)
    asked = StartRequest(
        workflow_id=named,
        inputs=checked(body.inputs, "/inputs", expect_object=True),
        version=body.version,
        tags=body.tags,
        priority=body.priority,
        timeout_ms=None if body.timeout is None else _timeout_ms(body.timeout),
        created_by=request.caller,
        start_at=_start_at(request, body),
    )
    if key is None:
        started, status = await request.runtime.execute(asked), 202
    else:
        once = await request.runtime.execute_once(asked, key)
        started, status = once.head, 200 if once.repeated else 202
    seconds = wait_s(request)
    if seconds:
        return await _after_waiting(request, started, status, seconds)
    return json_reply(status, head(started), [_location(started)])


async def _after_waiting(request: Request, started: Head, status: int, seconds: int) -> Reply:
    execution_id = started.execution_id
    if await request.runtime.wait(execution_id, seconds):
        ended = await request.runtime.execution(execution_id, logs=_LOGS_ALONG)
        shown = whole(ended, request.clock.now_ms())
        return json_reply(200, shown, [_location(started), waited(seconds)])
    by_now = await request.runtime.execution(execution_id, logs=0)
    return json_reply(status, head(by_now.head), [_location(started)])


def _location(of: Head) -> tuple[bytes, bytes]:
    return (b"location", b"/api/executions/" + of.execution_id.encode())


def _timeout_ms(timeout: str) -> int:
    try:
        length_ms = durations.milliseconds(timeout)
        if not length_ms:
            raise ValueError("a timeout is longer than nothing")
    except ValueError as error:
        raise _invalid("/timeout", str(error)) from None
    return length_ms


def _start_at(request: Request, body: Execute) -> int | None:
    if body.start_at is None:
        return None
    start_at = milliseconds(body.start_at)
    if start_at > request.clock.now_ms() + FURTHEST_START_MS:
        raise _invalid("/start_at", "is more than ten years ahead")
    return start_at


def _invalid(location: str, message: str) -> RequestError:
    return RequestError(
        "invalid_request",
        "the body is not valid: see `errors`",
        errors=[Problem(location, message)],
    )
