"""The tasks of one hosted execution: begun once their command is on disk, stopped, recovered.

`withdrawn` are positions of tasks that the program has cancelled and that are not answered yet: one
that has not begun by then does not begin any more, and is answered as cancelled once its
`CancelTask` is on disk. Attempts that run elsewhere are neither begun nor answered here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from perdure.link import messages as m
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.machine import Machine
from perdure.model import failure as failures
from perdure.ports.clock import Clock
from perdure.worker.attempts import Attempts, timed_out
from perdure.worker.consequences import Effect
from perdure.worker.programs import Subject


class Effects:
    """Carries out what a program asks of tasks. `answer` takes events that need no attempt."""

    def __init__(
        self,
        attempts: Attempts,
        clock: Clock,
        load: m.Load,
        answer: Callable[[e.AnyEvent], None],
    ) -> None:
        self._attempts = attempts
        self._clock = clock
        self._execution_id = load.execution_id
        self._workflow_id = load.workflow_id
        self._answer = answer
        self._elsewhere = {(a.position, a.attempt) for a in load.elsewhere}
        self._timed_out = {(a.position, a.attempt) for a in load.timed_out}
        self._withdrawn: dict[str, bool] = {}
        """By position, whether the cancelling is on disk."""
        self._recorded: list[c.RunTask] = []

    def asked(self, effects: Iterable[Effect]) -> list[str]:
        """Take note of what a step has asked for; positions to be stopped in other workers."""
        stop_elsewhere = []
        for effect in effects:
            if isinstance(effect, c.CancelTask):
                self._withdrawn[effect.position] = False
                if any(position == effect.position for position, _ in self._elsewhere):
                    stop_elsewhere.append(effect.position)
        return stop_elsewhere

    def answered(self, position: str) -> None:
        """A task has its outcome."""
        if self._withdrawn:
            self._withdrawn.pop(position, None)

    def new_generation(self) -> None:
        """Tasks of the generation before are of no concern any more: the inbox refuses them."""
        self._withdrawn.clear()
        self._elsewhere.clear()
        self._timed_out.clear()
        self._recorded.clear()

    def begin(self, machine: Machine, generation: int, command: c.RunTask) -> None:
        """Begin an attempt, unless the program has gone on without it."""
        if command.position not in self._withdrawn and _is_open(machine, command):
            subject = cast(Subject, machine.open[command.position].subject)
            self._attempts.begin(
                self._execution_id, self._workflow_id, generation, command, subject
            )

    def cancel(self, machine: Machine, generation: int, position: str) -> None:
        """Stop a task here; one that runs nowhere is answered."""
        self._attempts.cancel(self._attempts.at(self._execution_id, position))
        entry = machine.open.get(position)
        if entry is None or not isinstance(entry.command, c.RunTask):
            self._withdrawn.pop(position, None)
            return
        self._withdrawn[position] = True
        key = (position, entry.command.attempt)
        runs_here = self._attempts.runs(self._execution_id, generation, key)
        if not runs_here and key not in self._elsewhere:
            self._answer_cancelled(entry.command)

    # -- after a replay ------------------------------------------------------------------------

    @property
    def unrecovered(self) -> bool:
        """Whether recorded tasks are left that may have to begin again."""
        return bool(self._recorded)

    def replayed(self, machine: Machine, withdrawn: Iterable[str]) -> int:
        """Take over what is open after a replay; how many tasks that is."""
        self._withdrawn = {position: True for position in withdrawn if position in machine.open}
        self._recorded = [
            entry.command for entry in machine.open.values() if type(entry.command) is c.RunTask
        ]
        return len(self._recorded)

    def recover(self, machine: Machine, generation: int) -> None:
        """See to the recorded tasks that have no outcome, now that all that came is delivered."""
        recorded, self._recorded = self._recorded, []
        for command in recorded:
            if _is_open(machine, command):
                self._recover(machine, generation, command)

    def lost(
        self,
        machine: Machine,
        generation: int,
        attempts: Sequence[m.RunningAttempt],
        timed_out: Sequence[m.RunningAttempt],
    ) -> None:
        """Attempts that ran elsewhere are gone, some of them for their timeout."""
        self._timed_out.update((attempt.position, attempt.attempt) for attempt in timed_out)
        for attempt in attempts:
            self._elsewhere.discard((attempt.position, attempt.attempt))
            entry = machine.open.get(attempt.position)
            if entry is not None and isinstance(entry.command, c.RunTask):
                waits_for_recovery = any(
                    command.position == attempt.position for command in self._recorded
                )
                if entry.command.attempt == attempt.attempt and not waits_for_recovery:
                    self._recover(machine, generation, entry.command)

    def _recover(self, machine: Machine, generation: int, command: c.RunTask) -> None:
        """Begin an attempt again, unless it runs still or is not to."""
        key = (command.position, command.attempt)
        cancelled = self._withdrawn.get(command.position)
        if self._attempts.runs(self._execution_id, generation, key):
            if cancelled:
                self.cancel(machine, generation, command.position)
        elif key in self._elsewhere or cancelled is False:
            return
        elif cancelled:
            self._answer_cancelled(command)
        elif key in self._timed_out:
            subject = cast(Subject, machine.open[command.position].subject)
            self._answer(timed_out(command, subject, self._clock.now_ms()))
        elif command.on_crash == "fail":
            self._answer_crashed(command)
        else:
            self.begin(machine, generation, command)

    def _answer_cancelled(self, command: c.RunTask) -> None:
        self._answer(
            e.TaskCancelled(
                time=self._clock.now_ms(), position=command.position, attempt=command.attempt
            )
        )

    def _answer_crashed(self, command: c.RunTask) -> None:
        detail = f"task {command.name} was in flight when its process died; on_crash is 'fail'"
        self._answer(
            e.TaskFailed(
                time=self._clock.now_ms(),
                position=command.position,
                attempt=command.attempt,
                failure=failures.crashed(detail),
                retryable=False,
            )
        )


def _is_open(machine: Machine, command: c.RunTask) -> bool:
    entry = machine.open.get(command.position)
    if entry is None or not isinstance(entry.command, c.RunTask):
        return False
    return entry.command.attempt == command.attempt
