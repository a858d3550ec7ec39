"""The public names for those who write workflows.

`@task` makes a function's outcome durable, `@workflow` strings tasks together; the rest is what
workflow code awaits and asks, what tasks know of themselves, and the exceptions. `Client` starts
and looks at executions on a server, from any program; what belongs to it is imported when it is
first used, so that workers need not wait for an HTTP client.
"""

from typing import TYPE_CHECKING, Any

from perdure.authoring.context import TaskContext, current_task
from perdure.authoring.gathering import gather
from perdure.authoring.retry import Retry
from perdure.authoring.steps import (
    continue_as_new,
    now,
    patched,
    random,
    run_workflow,
    sleep,
    sleep_until,
    start_workflow,
    uuid4,
    wait_for_event,
)
from perdure.authoring.task import Task, task
from perdure.authoring.workflow import ChildHandle, Workflow, workflow
from perdure.model.exceptions import (
    Cancelled,
    ChildFailedError,
    DefinitionError,
    EncodingError,
    FailedError,
    PerdureError,
    RaisedError,
    TaskFailedError,
    TaskTimedOutError,
    UsageError,
    WaitTimedOutError,
)
from perdure.model.failure import Failure

if TYPE_CHECKING:
    from perdure.client import (
        AddressError,
        ApiError,
        Client,
        ClientError,
        ConflictError,
        ExecutionCancelledError,
        ExecutionEndedError,
        ExecutionFailedError,
        NotFoundError,
        NotReachableError,
        RefusedInputError,
        UnauthorizedError,
        UnavailableError,
        UnexpectedAnswerError,
    )

__all__ = [
    "AddressError",
    "ApiError",
    "Cancelled",
    "ChildFailedError",
    "ChildHandle",
    "Client",
    "ClientError",
    "ConflictError",
    "DefinitionError",
    "EncodingError",
    "ExecutionCancelledError",
    "ExecutionEndedError",
    "ExecutionFailedError",
    "FailedError",
    "Failure",
    "NotFoundError",
    "NotReachableError",
    "PerdureError",
    "RaisedError",
    "RefusedInputError",
    "Retry",
    "Task",
    "TaskContext",
    "TaskFailedError",
    "TaskTimedOutError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UsageError",
    "WaitTimedOutError",
    "Workflow",
    "continue_as_new",
    "current_task",
    "gather",
    "now",
    "patched",
    "random",
    "run_workflow",
    "sleep",
    "sleep_until",
    "start_workflow",
    "task",
    "uuid4",
    "wait_for_event",
    "workflow",
]

_OF_THE_CLIENT = frozenset(__all__) - frozenset(globals())


def __getattr__(name: str) -> Any:
    """Import what belongs to the client (PEP 562)."""
    if name not in _OF_THE_CLIENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from perdure import client  # noqa: PLC0415 - not before it is wanted

    return getattr(client, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
