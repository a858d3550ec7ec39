"""What an execution does and did, told from its journal, without its program."""

from collections.abc import Iterable

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import Batch, decode_batch
from perdure.model.execution import (
    CurrentTask,
    Head,
    Revision,
    TaskRun,
    TaskStatus,
    Waiting,
)
from perdure.model.failure import Failure
from perdure.model.position import is_internal
from perdure.model.status import Status
from perdure.ports.journal import Row


class _Task:
    """A task run in the making."""

    __slots__ = ("attempt", "command", "completed_at", "error", "output", "started_at", "status")

    def __init__(self, command: c.RunTask | c.StartChild, started_at: int) -> None:
        self.command = command
        self.started_at = started_at
        self.attempt = 1
        self.status: TaskStatus = "running"
        self.completed_at: int | None = None
        self.output: msgspec.Raw | None = None
        self.error: Failure | None = None

    def finish(self, status: TaskStatus, at: int) -> None:
        self.status = status
        self.completed_at = at


class Story:
    """The tasks and waits of one generation, batch by batch."""

    def __init__(self, bodies: Iterable[bytes] = ()) -> None:
        self._tasks: dict[str, _Task] = {}
        self._waits: dict[str, Waiting] = {}
        self.result: bytes | None = None
        for body in bodies:
            self.add(decode_batch(body))

    def add(self, batch: Batch) -> None:
        """Take the next batch."""
        event = batch.event
        self._answer(event)
        for command in batch.commands:
            self._ask(command, event.time)

    # -- events and commands -------------------------------------------------------------------

    def _answer(self, event: e.AnyEvent) -> None:
        if isinstance(event, e.EventReceived):
            self._received(event)
            return
        self._waits.pop(event.position, None)
        task = self._tasks.get(event.position)
        if task is None:
            return
        if isinstance(event, e.TaskCompleted):
            task.finish("completed", event.time)
            task.output = event.output
        elif isinstance(event, e.ChildCompleted):
            task.finish("completed", event.time)
            task.output = event.result
        elif isinstance(event, e.ChildStarted):
            task.finish("completed", event.time)
        elif isinstance(event, e.TaskFailed | e.ChildFailed):
            task.finish("failed", event.time)
            task.error = event.failure
        elif isinstance(event, e.TaskCancelled | e.ChildCancelled):
            task.finish("cancelled", event.time)

    def _received(self, event: e.EventReceived) -> None:
        for position, waiting in self._waits.items():
            if waiting.kind == "event" and waiting.name == event.name:
                del self._waits[position]
                return

    def _ask(self, command: c.AnyCommand, time: int) -> None:
        position = command.position
        if isinstance(command, c.RunTask):
            self._run(command, time)
        elif isinstance(command, c.StartChild):
            self._tasks[position] = _Task(command, time)
            if command.wait:
                self._waits[position] = Waiting(
                    kind="child", position=position, since=time, name=command.workflow_id
                )
        elif isinstance(command, c.StartTimer):
            self._timer(command, time)
        elif isinstance(command, c.WaitForEvent):
            self._waits[position] = Waiting(
                kind="event", position=position, since=time, name=command.name
            )
        elif isinstance(command, c.CancelTimer | c.StopWaiting):
            self._waits.pop(position, None)
        elif isinstance(command, c.CompleteExecution):
            self.result = bytes(command.result)
            self._end(time)
        elif isinstance(command, c.ENDS):
            self._end(time)
        elif isinstance(command, c.ContinueAsNew):
            self._tasks.clear()
            self._waits.clear()

    def _run(self, command: c.RunTask, time: int) -> None:
        task = self._tasks.get(command.position)
        if task is None:
            self._tasks[command.position] = _Task(command, time)
            return
        task.command = command
        task.attempt = command.attempt
        task.status = "running"
        task.completed_at = None
        task.error = None

    def _timer(self, command: c.StartTimer, time: int) -> None:
        if command.purpose == "retry":
            task = self._tasks.get(command.position.rpartition("/")[0])
            if task is not None:
                task.status = "retrying"
                task.completed_at = None
        if not is_internal(command.position):
            self._waits[command.position] = Waiting(
                kind="timer", position=command.position, since=time, until=command.due_ms
            )

    def _end(self, time: int) -> None:
        self._waits.clear()
        for task in self._tasks.values():
            if task.completed_at is None:
                task.finish("cancelled", time)

    # -- what is shown -------------------------------------------------------------------------

    def current_tasks(self) -> tuple[CurrentTask, ...]:
        """Tasks that run, or wait for their next attempt."""
        return tuple(
            CurrentTask(
                position=position,
                name=task.command.name,
                attempt=task.attempt,
                started_at=task.started_at,
            )
            for position, task in self._tasks.items()
            if isinstance(task.command, c.RunTask) and task.completed_at is None
        )

    def waiting_for(self) -> tuple[Waiting, ...]:
        """Moments, events and children that are waited for."""
        return tuple(self._waits.values())

    def open_attempts(self) -> list[tuple[str, int]]:
        """Position and attempt of tasks that were asked for and not answered."""
        return [
            (position, task.attempt)
            for position, task in self._tasks.items()
            if task.status == "running" and isinstance(task.command, c.RunTask)
        ]

    def task_runs(self) -> list[TaskRun]:
        """Every task and child, in start order."""
        return [_shown(position, task) for position, task in self._tasks.items()]


def head_of(row: Row) -> Head:
    """What a list shows of an execution."""
    return Head(
        execution_id=row.execution_id,
        workflow_id=row.workflow_id,
        workflow_version=row.workflow_version,
        status=row.status,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        tags=row.tags,
    )


def revision_of(row: Row, last_line: int) -> Revision:
    """Where an execution stands; `last_line` is the newest log line that is shown."""
    return Revision(
        status=row.status,
        run=row.run,
        batches=row.next_seq,
        inbox_seq=row.inbox_seq if row.status is Status.PAUSED else 0,
        start_at=row.start_at,
        completed_at=row.completed_at,
        cancel_requested_at=row.cancel_requested_at,
        paused_at=row.paused_at,
        last_line=last_line,
    )


def waiting_for_start(row: Row) -> tuple[Waiting, ...]:
    """The moment of its start, where an execution waits for it."""
    if row.start_at is None or row.status.ended:
        return ()
    return (Waiting(kind="start", position="", since=row.created_at, until=row.start_at),)


def _shown(position: str, task: _Task) -> TaskRun:
    command = task.command
    is_task = isinstance(command, c.RunTask)
    return TaskRun(
        position=position,
        name=command.name if isinstance(command, c.RunTask) else command.workflow_id,
        kind="task" if is_task else "child",
        status=task.status,
        attempt=task.attempt,
        started_at=task.started_at,
        completed_at=task.completed_at,
        input=command.input,
        output=task.output,
        error=task.error,
    )
