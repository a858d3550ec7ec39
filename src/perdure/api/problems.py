"""Errors as `application/problem+json` (RFC 9457): the one table of codes, and the one writer."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from perdure.api.replies import Reply
from perdure.model.status import Status
from perdure.ports.runtime import Problem, RefusedError

log = logging.getLogger(__name__)

TYPE_PREFIX = "urn:perdure:problem:"


@dataclass(frozen=True)
class Code:
    """How a code is answered; `retry_after_s` where trying again later may succeed.

    `headers` are those that its answers carry beside Retry-After.
    """

    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None
    headers: tuple[str, ...] = ()


CODES: Mapping[str, Code] = {
    # What was sent is not understood.
    "malformed_request": Code(
        400, "This is not HTTP", "The request line, a header or a chunk is broken."
    ),
    "invalid_json": Code(
        400, "The body is not JSON", "Broken JSON or UTF-8; `offset` is the byte where it breaks."
    ),
    "invalid_cursor": Code(
        400,
        "The cursor does not belong here",
        "A cursor is only good for the list, and the filters, that it came from.",
    ),
    "invalid_idempotency_key": Code(
        400,
        "The idempotency key is not valid",
        "`Idempotency-Key` is a text of 1 to 255 visible ASCII characters, in quotes or without.",
    ),
    "unauthorized": Code(
        401,
        "Not authenticated",
        "Send `Authorization: Bearer <key>` with the right key.",
        headers=("WWW-Authenticate",),
    ),
    "forbidden_origin": Code(
        403,
        "Not from this origin",
        "A page of another origin asks, or the host is not this server's: see `detail`.",
    ),
    "not_found": Code(404, "No such path", "Nothing is served under this path."),
    "method_not_allowed": Code(
        405,
        "The method is not allowed here",
        "`Allow` names the methods that are.",
        headers=("Allow",),
    ),
    "too_slow": Code(
        408, "Too slow", "The request did not arrive in time; the connection is closed."
    ),
    "too_large": Code(
        413,
        "Too large",
        "A body may have 4 MB, a document 1 MB, a value (inputs, an event's data) 2 MB.",
    ),
    "unsupported_media_type": Code(
        415,
        "The body has another type",
        "Bodies are `application/json`, documents `application/yaml` too; none is compressed.",
    ),
    "invalid_request": Code(
        422,
        "The request is not valid",
        "A field or parameter is unknown, missing, of another type or out of bounds: see `errors`.",
    ),
    "head_too_large": Code(
        431, "The head is too large", "Request line and headers together may have 64 KB."
    ),
    "too_deep": Code(422, "Nested too deeply", "Values may be nested 100 levels deep."),
    # The engine refuses.
    "unknown_workflow": Code(404, "No such workflow", "No workflow with this id is served."),
    "unknown_version": Code(404, "No such version", "The workflow has no such version."),
    "workflow_retired": Code(
        410,
        "The workflow is retired",
        "No version that it had then is executed any more; nothing was started.",
    ),
    "idempotency_mismatch": Code(
        422,
        "The idempotency key was used for something else",
        "The same `Idempotency-Key` came with another body: take a new key for another execution.",
    ),
    "unknown_execution": Code(404, "No such execution", "There is no execution with this id."),
    "invalid_inputs": Code(
        422,
        "The inputs are not valid",
        "They do not fit the workflow's input schema, see `errors`; nothing was started.",
    ),
    "unsupported_task": Code(
        422,
        "The workflow has tasks that are not executed yet",
        "`detail` names them, and where they are in the document; nothing was started.",
    ),
    "invalid_document": Code(
        422,
        "The document is not valid",
        "`errors` has every problem, with its place in the document; nothing was registered.",
    ),
    "version_conflict": Code(
        409,
        "The version has other content",
        "A version of a workflow never changes: give the document a new `version`.",
    ),
    "registry_full": Code(
        409, "Too many documents", "No more documents can be registered on this server."
    ),
    "already_ended": Code(
        409, "The execution has ended", "An end is an end; `execution_status` tells which."
    ),
    "not_paused": Code(409, "The execution is not paused", "Only a paused one can be resumed."),
    "already_paused": Code(409, "The execution is paused already", "It needs no second pause."),
    "conflict": Code(
        409, "Not now", "The execution's status has just changed and does not allow this: look."
    ),
    "inbox_full": Code(
        429,
        "The execution has too many unread events",
        "Send the event again later: its inbox is full.",
        retry_after_s=5,
    ),
    "overloaded": Code(
        503, "Overloaded", "The server takes no more work for a while.", retry_after_s=1
    ),
    "storage_failed": Code(
        503,
        "The change could not be stored",
        "The disk refuses writes or is full; nothing was changed.",
        retry_after_s=5,
    ),
    "too_many_connections": Code(
        503, "Too many connections", "Close some, or use them again.", retry_after_s=1
    ),
    "shutting_down": Code(
        503, "Shutting down", "The server is stopping; another one may answer.", retry_after_s=2
    ),
    # The server itself.
    "not_ready": Code(
        503, "Not ready", "Executions cannot be started at this moment.", retry_after_s=1
    ),
    "internal_error": Code(
        500,
        "Internal error",
        "A fault of the server; its log tells more under the `request_id`.",
    ),
}
"""Every code that the API answers with. Codes are stable: they are never renamed or reused."""


class RequestError(Exception):
    """A request that the API itself refuses."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Problem] = (),
        offset: int | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.offset = offset
        self.headers = headers


class AlreadyEndedError(Exception):
    """A refusal of an execution that has ended, with the end that it came to."""

    def __init__(self, refusal: RefusedError, status: Status) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal
        self.status = status


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """A problem (RFC 9457). `code` is the stable name of what is wrong.

    A location in `errors` is a JSON pointer into the body, ``?name`` for a query parameter,
    ``{name}`` for a part of the path, or the name of a header.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: Sequence[Problem] | UnsetType = UNSET
    offset: int | UnsetType = UNSET
    execution_status: Status | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


_encode = msgspec.json.Encoder().encode


def problem_reply(error: Exception, *, doing: str) -> Reply:
    """The answer to a request that raised `error`; `doing` names the request in the server's log.

    An exception that is no refusal is logged in full, and answered without any of it.
    """
    if isinstance(error, RequestError):
        return _reply(
            error.code,
            error.detail,
            errors=error.errors,
            offset=UNSET if error.offset is None else error.offset,
            headers=error.headers,
        )
    if isinstance(error, AlreadyEndedError):
        refusal = error.refusal
        return _reply(refusal.code, refusal.detail, execution_status=error.status)
    if isinstance(error, RefusedError) and error.code in CODES:
        return _reply(
            error.code, error.detail, errors=error.problems, retry_after_s=error.retry_after_s
        )
    request_id = secrets.token_hex(8)
    log.error("%s failed (request %s)", doing, request_id, exc_info=error)
    return _reply(
        "internal_error",
        f"the server failed to answer; its log tells why under request {request_id}",
        request_id=request_id,
    )


def _reply(
    code: str,
    detail: str,
    *,
    errors: Sequence[Problem] = (),
    offset: int | UnsetType = UNSET,
    execution_status: Status | UnsetType = UNSET,
    request_id: str | UnsetType = UNSET,
    retry_after_s: int | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Reply:
    known = CODES[code]
    wait_s = known.retry_after_s if retry_after_s is None else retry_after_s
    if wait_s is not None:
        headers = (*headers, (b"retry-after", b"%d" % wait_s))
    body = ProblemBody(
        type=TYPE_PREFIX + code,
        title=known.title,
        status=known.status,
        code=code,
        detail=detail,
        errors=errors or UNSET,
        offset=offset,
        execution_status=execution_status,
        request_id=request_id,
    )
    return Reply(known.status, _encode(body), b"application/problem+json", headers)
