"""What follows from a batch's commands: for the journal (`Append`) and for the worker."""

from collections.abc import Callable, Sequence

from perdure.link.messages import Ended, NewChild
from perdure.machine import commands as c
from perdure.ports.journal import TimerSet

Effect = c.RunTask | c.CancelTask | c.Evaluate
"""A command that the worker carries out once its batch is on disk."""


class Consequences:
    """The commands of one batch, sorted by who has to do something about them."""

    __slots__ = (
        "children",
        "children_cancelled",
        "continues",
        "effects",
        "end",
        "evaluations",
        "guarded",
        "opened",
        "timers_cleared",
        "timers_set",
    )

    def __init__(self, commands: Sequence[c.AnyCommand]) -> None:
        self.effects: list[Effect] = []
        self.opened = 0
        """How many of them are work for a worker."""
        self.evaluations = 0
        self.guarded = False
        """Whether any begins something or ends the execution."""
        self.timers_set: list[TimerSet] = []
        self.timers_cleared: list[str] = []
        self.children: list[NewChild] = []
        self.children_cancelled: list[str] = []
        self.end: Ended | None = None
        self.continues: c.ContinueAsNew | None = None
        for command in commands:
            if command.begins:
                self.guarded = True
            note = _NOTES.get(type(command))
            if note is not None:
                note(self, command)

    def _effect(self, command: Effect) -> None:
        self.effects.append(command)
        if command.begins:
            self.opened += 1

    def _evaluate(self, command: c.Evaluate) -> None:
        self.evaluations += 1
        self._effect(command)

    def _start_timer(self, command: c.StartTimer) -> None:
        self.timers_set.append(TimerSet(command.position, command.due_ms, command.absolute))

    def _cancel_timer(self, command: c.CancelTimer) -> None:
        """A timer that was set in this very batch never comes to be."""
        kept = [timer for timer in self.timers_set if timer.position != command.position]
        if len(kept) == len(self.timers_set):
            self.timers_cleared.append(command.position)
        self.timers_set = kept

    def _start_child(self, command: c.StartChild) -> None:
        self.children.append(
            NewChild(
                command.position,
                command.workflow_id,
                command.version,
                bytes(command.input),
                command.wait,
            )
        )

    def _cancel_child(self, command: c.CancelChild) -> None:
        """A child that was asked for in this very batch is created all the same, and cancelled."""
        self.children_cancelled.append(command.position)

    def _complete(self, command: c.CompleteExecution) -> None:
        self.guarded = True
        self.end = Ended("completed", result=bytes(command.result))

    def _fail(self, command: c.FailExecution) -> None:
        self.guarded = True
        self.end = Ended("failed", failure=command.failure)

    def _cancel(self, command: c.CancelExecution) -> None:
        self.guarded = True
        self.end = Ended("cancelled")

    def _continue(self, command: c.ContinueAsNew) -> None:
        self.continues = command


_NOTES: dict[type, Callable[..., None]] = {
    c.RunTask: Consequences._effect,
    c.CancelTask: Consequences._effect,
    c.Evaluate: Consequences._evaluate,
    c.StartTimer: Consequences._start_timer,
    c.CancelTimer: Consequences._cancel_timer,
    c.StartChild: Consequences._start_child,
    c.CancelChild: Consequences._cancel_child,
    c.CompleteExecution: Consequences._complete,
    c.FailExecution: Consequences._fail,
    c.CancelExecution: Consequences._cancel,
    c.ContinueAsNew: Consequences._continue,
}
