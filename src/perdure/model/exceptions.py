"""Every exception of perdure. The persisted failure is another thing: see `failure`.

PerdureError
├── DefinitionError            a workflow or task is declared wrongly
├── UsageError                 workflow code does what it cannot do there
├── EncodingError              a value is no JSON, or too large
├── RaisedError                raised by user code to fail with a failure of its own
├── FailedError                what workflow code awaited has failed; `.failure` says how
│   ├── TaskFailedError
│   │   └── TaskTimedOutError
│   ├── ChildFailedError
│   ├── EvaluationFailedError
│   └── WaitTimedOutError
├── DisagreementError          a replay does not fit its record
└── StorageError               the store could not take a write
Cancelled (BaseException)      the execution or branch is being cancelled
Continued (BaseException)      leaves a workflow to continue it as new
"""

from perdure.model.failure import STANDARD, Failure


class PerdureError(Exception):
    """Base of what perdure raises."""


class DefinitionError(PerdureError):
    """A workflow or a task is declared in a way that cannot work."""


class UsageError(PerdureError):
    """Workflow code did what cannot be durable there; the text says what to do instead."""


class EncodingError(PerdureError):
    """A value that has no JSON, or is over the limit."""


class RaisedError(PerdureError):
    """Raise it to fail a task or a workflow with a failure of your own.

    `type` is a URI of your choice, `status` a code in the manner of HTTP. A task that raises it
    with ``retryable=False`` is not tried again, whatever its retry policy.
    """

    def __init__(
        self,
        detail: str = "",
        *,
        type: str = STANDARD + "runtime",
        title: str = "Failed",
        status: int = 500,
        retryable: bool = True,
    ) -> None:
        super().__init__(detail or title)
        self.failure = Failure(type=type, status=status, title=title, detail=detail)
        self.retryable = retryable


class FailedError(PerdureError):
    """What workflow code awaited has failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class TaskFailedError(FailedError):
    """A task failed and has no attempt left."""


class TaskTimedOutError(TaskFailedError):
    """A task failed because its attempt, or all of it, took too long."""


class ChildFailedError(FailedError):
    """A child workflow failed, was cancelled, or could not be started."""


class EvaluationFailedError(FailedError):
    """An expression failed."""


class WaitTimedOutError(FailedError):
    """An event did not come in time."""


class DisagreementError(PerdureError):
    """A replay does not fit its record: the execution is held (promise 4)."""

    def __init__(self, detail: str, position: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class StorageError(PerdureError):
    """The store could not take a write; nothing of it is recorded."""


class Cancelled(BaseException):
    """The execution, or this branch of it, is being cancelled.

    Like asyncio's CancelledError it is no Exception: clean up in ``finally`` or catch it, and
    raise it again. Cleanup may await tasks; it is durable too.
    """


class Continued(BaseException):
    """Leaves the workflow function to continue as new; raised by `continue_as_new`."""

    def __init__(self, inputs: bytes) -> None:
        super().__init__()
        self.inputs = inputs
