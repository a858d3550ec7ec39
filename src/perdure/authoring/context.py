"""What a task can know of itself while it runs."""

from collections.abc import Callable
from contextvars import ContextVar

import msgspec

from perdure.machine import machine
from perdure.model.exceptions import UsageError


class TaskContext(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One attempt of a task, as the task sees it."""

    execution_id: str
    workflow_id: str
    position: str
    """The task's address in its execution, the same for all of its attempts."""
    name: str
    attempt: int
    """1 for the first one."""
    stop_requested: Callable[[], bool]
    """Asks whoever runs the task; `cancel_requested` is its answer."""

    @property
    def idempotency_key(self) -> str:
        """The same for all attempts and repetitions of this task, and for no other task."""
        return f"{self.execution_id}:{self.position}"

    @property
    def cancel_requested(self) -> bool:
        """Whether the attempt should stop: it was cancelled, or ran out of time.

        An async task is cancelled by asyncio; a plain function has to look here now and then.
        """
        return self.stop_requested()


task_context: ContextVar[TaskContext | None] = ContextVar("perdure_task", default=None)
"""Set by the worker around each attempt."""


def current_task() -> TaskContext:
    """The task that runs here. Raises UsageError outside of one."""
    context = task_context.get()
    if context is None or machine.current() is not None:
        raise UsageError(
            "current_task() is for tasks that an execution runs: move the call into a function "
            "with @task, and await that in a workflow"
        )
    return context
