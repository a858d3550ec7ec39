"""What came of a command, or came from outside (docs/journal.md, section 3).

`time` is whole milliseconds since 1970 in UTC, the only clock of a program.
"""

import msgspec

from perdure.machine.commands import Carried
from perdure.model.failure import Failure


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True, omit_defaults=True
):
    """Base of all events. `position` is empty where the event answers no command."""

    time: int
    position: str = ""


class ExecutionStarted(Event, frozen=True):
    """The first event of a generation. The inputs are kept beside the journal."""

    seed: int
    workflow_id: str
    workflow_version: str
    digest: str = ""
    run: int = 1
    timeout_ms: int | None = None
    carried: tuple[Carried, ...] = ()


class TaskCompleted(Event, frozen=True):
    """An attempt returned."""

    attempt: int
    output: msgspec.Raw


class TaskFailed(Event, frozen=True):
    """An attempt failed; `retryable` is what the task's policy says of the exception."""

    attempt: int
    failure: Failure
    retryable: bool = True


class TaskCancelled(Event, frozen=True):
    """An attempt was stopped, or `abandoned` since it did not stop in time."""

    attempt: int
    abandoned: bool = False


class TimerFired(Event, frozen=True):
    """A timer fell due."""


class EventReceived(Event, frozen=True):
    """An event came from outside."""

    name: str
    data: msgspec.Raw
    event_id: str | None = None


class ChildStarted(Event, frozen=True):
    """A child that is not awaited has been created."""

    execution_id: str


class ChildCompleted(Event, frozen=True):
    """An awaited child completed."""

    execution_id: str
    result: msgspec.Raw


class ChildFailed(Event, frozen=True):
    """An awaited child failed, or a child could not be started."""

    failure: Failure
    execution_id: str | None = None


class ChildCancelled(Event, frozen=True):
    """An awaited child was cancelled."""

    execution_id: str


class Evaluated(Event, frozen=True):
    """An expression has a value."""

    output: msgspec.Raw


class EvaluationFailed(Event, frozen=True):
    """An expression failed."""

    failure: Failure


class CancelRequested(Event, frozen=True):
    """Somebody asked for the execution to be cancelled."""

    reason: str = ""


AnyEvent = (
    ExecutionStarted
    | TaskCompleted
    | TaskFailed
    | TaskCancelled
    | TimerFired
    | EventReceived
    | ChildStarted
    | ChildCompleted
    | ChildFailed
    | ChildCancelled
    | Evaluated
    | EvaluationFailed
    | CancelRequested
)

TASK_OUTCOMES = (TaskCompleted, TaskFailed, TaskCancelled)
EVALUATION_OUTCOMES = (Evaluated, EvaluationFailed)
CHILD_OUTCOMES = (ChildStarted, ChildCompleted, ChildFailed, ChildCancelled)
EFFECT_OUTCOMES = (*TASK_OUTCOMES, *EVALUATION_OUTCOMES)
"""What a worker itself brings about; everything else comes through the inbox."""
