"""What a client of a server raises.

PerdureError
└── ClientError
    ├── AddressError                the URL or the token cannot be used
    ├── NotReachableError           no answer came
    ├── UnexpectedAnswerError       what answered does not speak this API
    ├── ApiError                    the server refused; `.code` says what
    │   ├── RefusedInputError       400, 408, 413, 415, 422, 431: what was sent is not right
    │   ├── UnauthorizedError       401, 403
    │   ├── NotFoundError           404, 410
    │   ├── ConflictError           409, 412: the state of things does not allow it
    │   └── UnavailableError        429, 502, 503, 504: later it may succeed
    └── ExecutionEndedError         it ended otherwise than completed; `.execution` is all of it
        ├── ExecutionFailedError
        └── ExecutionCancelledError

None of them has the token in its text or in its attributes.
"""

from collections.abc import Sequence

import msgspec

from perdure.model.exceptions import PerdureError
from perdure.wire.executions import Whole


class ClientError(PerdureError):
    """Base of what a client of a server raises."""


class AddressError(ClientError):
    """The URL or the token cannot be used; the text says what to set."""


class NotReachableError(ClientError):
    """No answer came: nothing listens there, the name is unknown, or the connection broke."""


class UnexpectedAnswerError(ClientError):
    """An answer that this client does not understand, or will not read: too large, another API."""


class Located(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request.

    `location` is a JSON pointer into the body, ``?name`` for a query parameter, or ``{name}`` for
    a part of the path.
    """

    location: str = ""
    message: str = ""


class ApiError(ClientError):
    """The server answered with a problem (RFC 9457).

    `status` is that of HTTP; `code` the stable name of the problem, empty where the answer was
    none of perdure's; `detail` a sentence; `errors` each thing that is wrong, and where;
    `retry_after_s` the seconds after which it may succeed, None where the server does not say;
    `after_lost_answer` whether the request was a repetition, after one that may have been carried
    out although its answer never came.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Located] = (),
        retry_after_s: float | None = None,
        after_lost_answer: bool = False,
    ) -> None:
        located = [f"\n  {each.location or '/'}: {each.message}" for each in errors]
        super().__init__(f"{detail} ({status}{f' {code}' if code else ''}){''.join(located)}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.after_lost_answer = after_lost_answer


class RefusedInputError(ApiError):
    """What was sent is not right; `errors` says what and where. Nothing happened."""


class UnauthorizedError(ApiError):
    """The token is missing, wrong, or not allowed to do this."""


class NotFoundError(ApiError):
    """There is no such execution, workflow or version, or no longer."""


class ConflictError(ApiError):
    """The execution or workflow is in a state that does not allow this."""


class UnavailableError(ApiError):
    """The server takes no such request at this moment; it was tried for as long as is allowed."""


class ExecutionEndedError(ClientError):
    """An execution that was waited for did not complete; `execution` is all of it."""

    def __init__(self, execution: Whole) -> None:
        of = f"{execution.execution_id} of {execution.workflow_id}"
        error = execution.error
        why = ""
        if error is not None:
            place = f" at {error.instance}" if error.instance else ""
            why = f"{place}: {error.title}{f': {error.detail}' if error.detail else ''}"
        super().__init__(f"{of} {execution.status}{why}")
        self.execution = execution


class ExecutionFailedError(ExecutionEndedError):
    """It failed; the execution's `error` says how."""


class ExecutionCancelledError(ExecutionEndedError):
    """It was cancelled."""
