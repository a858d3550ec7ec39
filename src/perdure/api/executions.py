"""Executions: start, look, and control."""

import re
from collections.abc import Sequence

from perdure.api.problems import AlreadyEndedError, RequestError
from perdure.api.queries import WholeQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.api.values import checked
from perdure.model import durations
from perdure.model.execution import Head
from perdure.ports.runtime import Problem, RefusedError, StartRequest
from perdure.wire.executions import head, whole
from perdure.wire.requests import Execute, Nothing

LONGEST_WAIT_S = 60
"""What `Prefer: wait` is capped at."""
_LOGS_ALONG = WholeQuery().logs

_WORKFLOW_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_WAIT = re.compile(rb'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


async def execute(request: Request) -> Reply:
    """Start an execution; with `Prefer: wait` answer with all of it, if it ends in time."""
    if b"idempotency-key" in request.headers:
        raise RequestError(
            "not_supported",
            "this server does not yet keep the promise of Idempotency-Key: nothing was started",
        )
    workflow_id = request.parameters["workflow_id"]
    if not _WORKFLOW_ID.fullmatch(workflow_id):
        raise RefusedError("unknown_workflow", f"no workflow {workflow_id[:128]!r} is served")
    body = await request.body(Execute)
    started = await request.runtime.execute(
        StartRequest(
            workflow_id=workflow_id,
            inputs=checked(body.inputs, "/inputs", expect_object=True),
            version=body.version,
            tags=body.tags,
            priority=body.priority,
            timeout_ms=None if body.timeout is None else _timeout_ms(body.timeout),
            created_by=request.caller,
        )
    )
    if b"prefer" in request.headers:
        seconds = preferred_wait_s(request.header_lines(b"prefer"))
        if seconds:
            return await _after_waiting(request, started, seconds)
    return json_reply(202, head(started), [_location(started)])


async def _after_waiting(request: Request, started: Head, seconds: int) -> Reply:
    execution_id = started.execution_id
    if await request.runtime.wait(execution_id, seconds):
        ended = await request.runtime.execution(execution_id, logs=_LOGS_ALONG)
        applied = (b"preference-applied", b"wait=%d" % seconds)
        return json_reply(200, whole(ended, request.clock.now_ms()), [_location(started), applied])
    by_now = await request.runtime.execution(execution_id, logs=0)
    return json_reply(202, head(by_now.head), [_location(started)])


def preferred_wait_s(lines: Sequence[bytes]) -> int:
    """The seconds of `Prefer: wait`, capped; 0 where it is absent or no number (RFC 7240)."""
    for preference in b",".join(lines).split(b","):
        wait = _WAIT.fullmatch(preference)
        if wait:
            return min(int(wait[1]), LONGEST_WAIT_S)
    return 0


def _location(of: Head) -> tuple[bytes, bytes]:
    return (b"location", b"/api/executions/" + of.execution_id.encode())


def _timeout_ms(timeout: str) -> int:
    try:
        length_ms = durations.milliseconds(timeout)
        if not length_ms:
            raise ValueError("a timeout is longer than nothing")
    except ValueError as error:
        raise RequestError(
            "invalid_request",
            "the body is not valid: see `errors`",
            errors=[Problem("/timeout", str(error))],
        ) from None
    return length_ms


async def show(request: Request) -> Reply:
    """The whole of an execution."""
    query = request.query(WholeQuery)
    found = await request.runtime.execution(request.execution_id, logs=query.logs)
    return json_reply(200, whole(found, request.clock.now_ms()))


async def cancel(request: Request) -> Reply:
    """Ask for it to be cancelled: 200 where it stopped at once, 202 while it stops."""
    await request.body(Nothing)
    try:
        now = await request.runtime.cancel(request.execution_id)
    except RefusedError as refusal:
        raise await with_its_end(request, refusal) from None
    return json_reply(200 if now.status.ended else 202, head(now))


async def pause(request: Request) -> Reply:
    """Pause it at once."""
    await request.body(Nothing)
    try:
        return json_reply(200, head(await request.runtime.pause(request.execution_id)))
    except RefusedError as refusal:
        raise await with_its_end(request, refusal) from None


async def resume(request: Request) -> Reply:
    """Let a paused one go on."""
    await request.body(Nothing)
    try:
        return json_reply(200, head(await request.runtime.resume(request.execution_id)))
    except RefusedError as refusal:
        raise await with_its_end(request, refusal) from None


async def with_its_end(request: Request, refusal: RefusedError) -> Exception:
    """The refusal; if it is that the execution has ended, with the end that it came to."""
    if refusal.code != "already_ended":
        return refusal
    ended = await request.runtime.execution(request.execution_id, logs=0)
    return AlreadyEndedError(refusal, ended.head.status)
