"""Attempts: runs them, times them, stops them, and says how each ended.

Invariants:
- An attempt ends once: with its own outcome, as stopped, or as abandoned. What an abandoned one
  does later counts for nothing.
- One that is asked to stop has a grace period; then it is killed where that can be (a process),
  else abandoned. The grace bounds the whole stop, so it is given up a little earlier.
- What runs is known by execution, position and attempt, whoever owns the execution.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context
from functools import partial
from typing import Literal, Protocol

import msgspec

from perdure.authoring.context import TaskContext, task_context
from perdure.link.messages import RunningAttempt
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model import durations
from perdure.model import failure as failures
from perdure.ports.clock import Clock
from perdure.worker.capture import AttemptLines, Capture, attempt_lines
from perdure.worker.deadlines import Deadline, Deadlines
from perdure.worker.marks import Slot, pack
from perdure.worker.outcomes import STOPPED, Ended, Failed, allows_retry, checked
from perdure.worker.programs import Mode, Subject

Why = Literal["", "cancelled", "timed out"]

_STOPPED = "it stopped"
_KILLED = "it did not stop and was killed"
_ABANDONED = "it did not stop and was abandoned"


class Attempt:
    """One try of a task."""

    __slots__ = (
        "abandoned",
        "begun",
        "command",
        "context",
        "deadline",
        "disowned",
        "ended",
        "execution_id",
        "generation",
        "handle",
        "killed",
        "lines",
        "mark",
        "slot",
        "stopping",
        "subject",
        "workflow_id",
    )

    def __init__(
        self,
        execution_id: str,
        workflow_id: str,
        generation: int,
        command: c.RunTask,
        subject: Subject,
        lines: AttemptLines,
    ) -> None:
        self.execution_id = execution_id
        self.workflow_id = workflow_id
        self.generation = generation
        self.command = command
        self.subject = subject
        self.lines = lines
        self.handle: object = None
        """What its runner stops it by."""
        self.mark = b""
        self.slot: Slot | None = None
        """Where a thread marks that it runs."""
        self.deadline: Deadline | None = None
        self.stopping: Why = ""
        self.begun = False
        self.killed = False
        self.abandoned = False
        self.ended = False
        self.disowned = False
        self.context = Context()
        self.context.run(self._enter)

    @property
    def position(self) -> str:
        """The task's position."""
        return self.command.position

    @property
    def input(self) -> bytes:
        """The task's input, JSON."""
        return bytes(self.command.input)

    @property
    def key(self) -> tuple[str, int]:
        """Names it within its execution."""
        return self.command.position, self.command.attempt

    def stop_requested(self) -> bool:
        """Whether it was asked to stop."""
        return self.stopping != ""

    def _enter(self) -> None:
        attempt_lines.set(self.lines)
        task_context.set(
            TaskContext(
                execution_id=self.execution_id,
                workflow_id=self.workflow_id,
                position=self.command.position,
                name=self.command.name,
                attempt=self.command.attempt,
                stop_requested=self.stop_requested,
            )
        )


class Runner(Protocol):
    """Runs attempts of one mode, and reports each one's end once."""

    def begin(self, attempt: Attempt) -> None:
        """Begin an attempt as soon as there is room."""
        ...

    def ask(self, attempt: Attempt) -> None:
        """Ask an attempt to stop."""
        ...

    def kill(self, attempt: Attempt) -> bool:
        """End an attempt by force; False where that cannot be."""
        ...


class Attempts:
    """The attempts of one worker. To be used on the loop's thread only."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        capture: Capture,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._capture = capture
        self._deadlines = Deadlines(loop)
        self._news: list[tuple[Attempt, Ended]] = []
        self._telling = False
        self._context = Context()
        self._by_execution: dict[str, dict[tuple[str, int], Attempt]] = {}
        self.runners: dict[Mode, Runner] = {}
        self.ended: Callable[[list[Ended]], None] = lambda news: None
        """Takes the attempts that have ended, some at a time."""
        self.on_quiet: Callable[[], None] = lambda: None
        """Called when nothing runs any more."""
        self.on_abandoned: Callable[[str], None] = lambda detail: None
        self.grace_ms = 10_000
        self.running = 0
        """How many run or wait to, but for abandoned ones."""
        self.abandoned: set[Attempt] = set()
        self.closed = False
        """Whether no more are begun."""

    @property
    def quiet(self) -> bool:
        """Whether nothing runs but what was abandoned, and nothing is left to be told."""
        return not (self.running or self._news or self._telling)

    # -- who runs ------------------------------------------------------------------------------

    def at(self, execution_id: str, position: str) -> list[Attempt]:
        """What runs here at a position: more than one where an attempt overlaps its successor."""
        siblings = self._by_execution.get(execution_id, {})
        return [attempt for (where, _), attempt in siblings.items() if where == position]

    def runs(self, execution_id: str, generation: int, key: tuple[str, int]) -> bool:
        """Whether this attempt runs here, or has an outcome that is not told yet."""
        attempt = self._by_execution.get(execution_id, {}).get(key)
        return attempt is not None and attempt.generation == generation

    def of(self, execution_id: str) -> list[RunningAttempt]:
        """What runs of an execution."""
        return [RunningAttempt(*key) for key in self._by_execution.get(execution_id, ())]

    # -- beginning and stopping ----------------------------------------------------------------

    def begin(
        self,
        execution_id: str,
        workflow_id: str,
        generation: int,
        command: c.RunTask,
        subject: Subject,
    ) -> None:
        """Begin an attempt."""
        if self.closed:
            return
        attempt = Attempt(
            execution_id,
            workflow_id,
            generation,
            command,
            subject,
            AttemptLines(self._capture, execution_id, command.name, command.position),
        )
        siblings = self._by_execution.setdefault(execution_id, {})
        siblings[attempt.key] = attempt
        self.running += 1
        self.runners[subject.mode].begin(attempt)

    def cancel(self, attempts: Iterable[Attempt], *, disown: bool = False) -> None:
        """Stop attempts; of disowned ones nobody waits for the outcome."""
        for attempt in attempts:
            if disown:
                self._disown(attempt)
            self._stop(attempt, "cancelled")

    def cancel_execution(self, execution_id: str) -> None:
        """Stop all that runs of an execution that has ended, or of its generation that has."""
        self.cancel(tuple(self._by_execution.get(execution_id, {}).values()), disown=True)

    def end_others(self, execution_id: str, generation: int) -> None:
        """Stop what runs of other generations of an execution than this."""
        running = tuple(self._by_execution.get(execution_id, {}).values())
        self.cancel((x for x in running if x.generation != generation), disown=True)

    def mark(self, attempt: Attempt) -> None:
        """Make the mark of an attempt that begins now. From any thread."""
        timeout_ms = attempt.command.timeout_ms
        attempt.begun = True
        attempt.mark = pack(
            attempt.execution_id,
            attempt.command.position,
            attempt.command.attempt,
            self._clock.monotonic() + timeout_ms / 1000 if timeout_ms is not None else 0.0,
        )

    def start_clock(self, attempt: Attempt) -> None:
        """The time of an attempt runs from now on."""
        timeout_ms = attempt.command.timeout_ms
        if timeout_ms is not None and not attempt.ended and not attempt.stopping:
            attempt.deadline = self._deadlines.after(
                timeout_ms / 1000, partial(self._stop, attempt, "timed out")
            )

    def _stop(self, attempt: Attempt, why: Why) -> None:
        if attempt.stopping or attempt.ended:
            return
        attempt.stopping = why
        self._drop_deadline(attempt)
        grace_s = (self.grace_ms - min(self.grace_ms // 10, 500)) / 1000
        attempt.deadline = self._deadlines.after(grace_s, partial(self._give_up, attempt))
        self.runners[attempt.subject.mode].ask(attempt)

    def _give_up(self, attempt: Attempt) -> None:
        """The grace is over."""
        attempt.deadline = None
        if self.runners[attempt.subject.mode].kill(attempt):
            attempt.killed = True
            return
        attempt.abandoned = True
        self.abandoned.add(attempt)
        self._end(attempt, STOPPED, _ABANDONED)
        self.on_abandoned(
            f"task {attempt.command.name} of {attempt.execution_id} {attempt.stopping} and did "
            f"not stop within {durations.text(self.grace_ms)}"
        )

    # -- ends ----------------------------------------------------------------------------------

    def finished(self, attempt: Attempt, result: bytes | Failed) -> None:
        """An attempt is over: takes its output, or how it failed."""
        if attempt.abandoned:
            self.abandoned.discard(attempt)
        elif not attempt.ended:
            if isinstance(result, bytes):
                result = checked(result, attempt.command.name)
            how = ""
            if attempt.stopping:
                how = _KILLED if attempt.killed else _STOPPED
            self._end(attempt, result, how)

    def _end(self, attempt: Attempt, result: bytes | Failed, how: str) -> None:
        attempt.ended = True
        self.running -= 1
        self._drop_deadline(attempt)
        failed = result if isinstance(result, Failed) else None
        if not self._news:
            self._loop.call_soon(self._tell, context=self._context)
        ended = Ended(
            execution_id=attempt.execution_id,
            generation=attempt.generation,
            position=attempt.command.position,
            attempt=attempt.command.attempt,
            name=attempt.command.name,
            event=self._event(attempt, result),
            lines=attempt.lines.taken(),
            how=how,
            traceback=failed.traceback if failed and not attempt.stopping else None,
            disagreement=failed.disagreement if failed else None,
        )
        self._news.append((attempt, ended))

    def _event(
        self, attempt: Attempt, result: bytes | Failed
    ) -> e.TaskCompleted | e.TaskFailed | e.TaskCancelled | None:
        now_ms = self._clock.now_ms()
        position, number = attempt.command.position, attempt.command.attempt
        if attempt.stopping == "timed out":
            assert attempt.command.timeout_ms is not None
            return timed_out(attempt.command, attempt.subject, now_ms)
        if isinstance(result, bytes):
            return e.TaskCompleted(
                time=now_ms, position=position, attempt=number, output=msgspec.Raw(result)
            )
        if attempt.stopping:
            return e.TaskCancelled(
                time=now_ms, position=position, attempt=number, abandoned=attempt.abandoned
            )
        if result.disagreement is not None:
            return None
        return e.TaskFailed(
            time=now_ms,
            position=position,
            attempt=number,
            failure=result.failure,
            retryable=result.retryable,
        )

    def _tell(self) -> None:
        news, self._news = self._news, []
        self._telling = True
        for attempt, ended in news:
            ended.disowned = attempt.disowned
            if not attempt.disowned:
                self._forget(attempt)
        self.ended([ended for _, ended in news])
        self._telling = False
        if self.quiet:
            self.on_quiet()

    def _drop_deadline(self, attempt: Attempt) -> None:
        if attempt.deadline is not None:
            self._deadlines.drop(attempt.deadline)
            attempt.deadline = None

    def _disown(self, attempt: Attempt) -> None:
        if not attempt.disowned:
            attempt.disowned = True
            self._forget(attempt)

    def _forget(self, attempt: Attempt) -> None:
        siblings = self._by_execution[attempt.execution_id]
        del siblings[attempt.key]
        if not siblings:
            del self._by_execution[attempt.execution_id]


def timed_out(command: c.RunTask, subject: Subject, now_ms: int) -> e.TaskFailed:
    """The end of an attempt that took too long: to its retry policy a TimeoutError."""
    detail = f"task {command.name} took longer than {durations.text(command.timeout_ms or 0)}"
    return e.TaskFailed(
        time=now_ms,
        position=command.position,
        attempt=command.attempt,
        failure=failures.timeout(detail),
        retryable=allows_retry(subject, TimeoutError(detail)),
    )
