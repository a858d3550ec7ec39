"""The public names for those who write workflows.

`@task` makes a function's outcome durable, `@workflow` strings tasks together; the rest is what
workflow code awaits and asks, what tasks know of themselves, and the exceptions.
"""

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

__all__ = [
    "Cancelled",
    "ChildFailedError",
    "ChildHandle",
    "DefinitionError",
    "EncodingError",
    "FailedError",
    "Failure",
    "PerdureError",
    "RaisedError",
    "Retry",
    "Task",
    "TaskContext",
    "TaskFailedError",
    "TaskTimedOutError",
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
