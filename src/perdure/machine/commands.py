"""What a program asks for (docs/journal.md, section 3). Named in pairs with `events`.

All are frozen; `position` is the address (section 4), `*_ms` are milliseconds, values are JSON.
"""

from typing import ClassVar, Literal

import msgspec

from perdure.model.failure import Failure

Purpose = Literal["sleep", "retry", "timeout", "cleanup"]
OnCrash = Literal["retry", "fail"]


class Command(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True, omit_defaults=True
):
    """Base of all commands. `label` is what a replay compares beside kind and position."""

    begins: ClassVar[bool] = False
    """Whether it begins something new, which a pause or an unread cancel forbids."""
    position: str = ""

    @property
    def label(self) -> str:
        """The name that a replay compares."""
        return ""


class RunTask(Command, frozen=True):
    """Run one attempt of a task."""

    begins: ClassVar[bool] = True
    name: str
    input: msgspec.Raw
    attempt: int = 1
    timeout_ms: int | None = None
    on_crash: OnCrash = "retry"

    @property
    def label(self) -> str:
        return self.name if self.attempt == 1 else f"{self.name} (attempt {self.attempt})"


class CancelTask(Command, frozen=True):
    """Stop the task at this position; it is still answered."""


class StartTimer(Command, frozen=True):
    """Fire at `due_ms`. An `absolute` moment is not moved by a pause."""

    begins: ClassVar[bool] = True
    due_ms: int
    absolute: bool = False
    purpose: Purpose = "sleep"


class CancelTimer(Command, frozen=True):
    """Forget the timer at this position."""


class WaitForEvent(Command, frozen=True):
    """Wait for an event from outside."""

    begins: ClassVar[bool] = True
    name: str

    @property
    def label(self) -> str:
        return self.name


class StopWaiting(Command, frozen=True):
    """Forget the wait at this position."""


class StartChild(Command, frozen=True):
    """Start another workflow; `wait` says whether its end is awaited, or only its start."""

    begins: ClassVar[bool] = True
    workflow_id: str
    input: msgspec.Raw
    version: str | None = None
    wait: bool = True

    @property
    def label(self) -> str:
        return self.workflow_id


class CancelChild(Command, frozen=True):
    """Cancel the awaited child at this position; it is still answered."""


class Evaluate(Command, frozen=True):
    """Evaluate an expression outside of the machine, before any other event is delivered."""

    begins: ClassVar[bool] = True
    expression: str
    arguments: msgspec.Raw

    @property
    def label(self) -> str:
        return self.expression


class RecordPatch(Command, frozen=True):
    """Record that this execution runs the patched code."""

    name: str

    @property
    def label(self) -> str:
        return self.name


class CompleteExecution(Command, frozen=True):
    """The program returned."""

    result: msgspec.Raw


class FailExecution(Command, frozen=True):
    """The program failed."""

    failure: Failure


class CancelExecution(Command, frozen=True):
    """The program was cancelled and has cleaned up."""


class Carried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was received and not awaited before the execution continued as new."""

    name: str
    data: msgspec.Raw


class ContinueAsNew(Command, frozen=True):
    """Begin a new generation with these inputs."""

    begins: ClassVar[bool] = True
    input: msgspec.Raw
    carried: tuple[Carried, ...] = ()


AnyCommand = (
    RunTask
    | CancelTask
    | StartTimer
    | CancelTimer
    | WaitForEvent
    | StopWaiting
    | StartChild
    | CancelChild
    | Evaluate
    | RecordPatch
    | CompleteExecution
    | FailExecution
    | CancelExecution
    | ContinueAsNew
)

ENDS = (CompleteExecution, FailExecution, CancelExecution)
"""The commands with which an execution ends."""
