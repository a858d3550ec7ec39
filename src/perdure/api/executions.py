"""Executions: look, and control."""

from perdure.api.conditional import entity_tag, is_conditional, is_known
from perdure.api.preferences import wait_s, waited
from perdure.api.problems import AlreadyEndedError
from perdure.api.queries import WholeQuery
from perdure.api.replies import Reply, json_reply
from perdure.api.requests import Request
from perdure.ports.runtime import RefusedError
from perdure.wire.executions import head, whole
from perdure.wire.requests import Nothing

_REVALIDATED = b"private, no-cache"


async def show(request: Request) -> Reply:
    """The whole of an execution; nothing where the client has it (`If-None-Match`).

    With `Prefer: wait` the answer comes at the next change of its status, or after so long; to a
    client that has an older state, at once.
    """
    query = request.query(WholeQuery)
    execution_id, runtime = request.execution_id, request.runtime
    headers: list[tuple[bytes, bytes]] = []
    seconds = wait_s(request)
    if seconds and await _wait(request, query, seconds):
        headers.append(waited(seconds))
    if is_conditional(request):
        revision = await runtime.revision(execution_id, with_logs=query.logs > 0)
        tag = entity_tag(revision, query.logs)
        if is_known(request, tag):
            return Reply(304, None, headers=[*headers, (b"etag", tag)], cache_control=_REVALIDATED)
    found = await runtime.execution(execution_id, logs=query.logs)
    if found.revision is not None:
        headers.append((b"etag", entity_tag(found.revision, query.logs)))
    shown = whole(found, request.clock.now_ms())
    return json_reply(200, shown, headers, cache_control=_REVALIDATED)


async def _wait(request: Request, query: WholeQuery, seconds: int) -> bool:
    """Wait as preferred; not where the client knows an older state. False: too many wait."""
    execution_id, runtime = request.execution_id, request.runtime
    if not is_conditional(request):
        return await runtime.wait_for_change(execution_id, seconds)
    revision = await runtime.revision(execution_id, with_logs=query.logs > 0)
    if not is_known(request, entity_tag(revision, query.logs)):
        return True
    return await runtime.wait_for_change(execution_id, seconds, since=revision.status)


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
