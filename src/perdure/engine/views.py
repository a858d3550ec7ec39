"""What an execution does and did, told from its journal, without its program and its values."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from perdure.engine.outlines import OutlinedCommand, OutlinedEvent, outline
from perdure.model.execution import CurrentTask, Head, Revision, TaskKind, TaskStatus, Waiting
from perdure.model.position import is_internal
from perdure.model.status import Status
from perdure.ports.journal import Row

Attempt = tuple[str, int]
"""Position and number."""

_TASK_BYTES = 600
_WAIT_BYTES = 500
"""What is kept of each takes about so much memory."""

_OUTCOMES: dict[str, TaskStatus] = {
    "TaskCompleted": "completed",
    "ChildCompleted": "completed",
    "ChildStarted": "completed",
    "TaskFailed": "failed",
    "ChildFailed": "failed",
    "TaskCancelled": "cancelled",
    "ChildCancelled": "cancelled",
}
_ENDS = frozenset({"CompleteExecution", "FailExecution", "CancelExecution"})


class ToldTask:
    """A task run in the making: the `number`-th of its execution.

    `asked` and `answered` are the batches that have its values.
    """

    __slots__ = (
        "answered",
        "asked",
        "attempt",
        "completed_at",
        "kind",
        "name",
        "number",
        "position",
        "started_at",
        "status",
    )

    def __init__(
        self, number: int, kind: TaskKind, position: str, name: str, started_at: int, asked: int
    ) -> None:
        self.number = number
        self.kind = kind
        self.position = position
        self.name = name
        self.started_at = started_at
        self.asked = asked
        self.answered: int | None = None
        self.attempt = 1
        self.status: TaskStatus = "running"
        self.completed_at: int | None = None

    def copy(self) -> "ToldTask":
        """The task as it is now."""
        copied = ToldTask.__new__(ToldTask)
        for name in ToldTask.__slots__:
            setattr(copied, name, getattr(self, name))
        return copied


class Story:
    """The tasks and waits of one generation, batch by batch, from the one numbered `first_seq`."""

    def __init__(self, first_seq: int = 0, bodies: Iterable[bytes] = ()) -> None:
        self.next_seq = first_seq
        """The number of the batch that it has not heard yet."""
        self._tasks: dict[str, ToldTask] = {}
        self._order: list[ToldTask] = []
        self._open: dict[str, ToldTask] = {}
        self._waits: dict[str, Waiting] = {}
        self._events: dict[str, dict[str, None]] = {}
        """Positions that wait for an event, by its name."""
        self._kept: Counter[str] = Counter()
        """How many events of a name nothing has waited for yet."""
        for body in bodies:
            self.add(body)

    def add(self, body: bytes) -> None:
        """Take the next batch."""
        batch = outline(body)
        self._answer(batch.event)
        for command in batch.commands:
            self._ask(command, batch.event.time)
        self.next_seq += 1

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        return len(self._order) * _TASK_BYTES + len(self._waits) * _WAIT_BYTES

    # -- events and commands -------------------------------------------------------------------

    def _answer(self, event: OutlinedEvent) -> None:
        if event.kind == "EventReceived":
            positions = self._events.get(event.name)
            if positions:
                self._stop_waiting(next(iter(positions)))
            else:
                self._kept[event.name] += 1
            return
        for carried in event.carried:
            self._kept[carried.name] += 1
        self._stop_waiting(event.position)
        task = self._tasks.get(event.position)
        status = _OUTCOMES.get(event.kind)
        if task is not None and status is not None:
            task.answered = self.next_seq
            self._finish(task, status, event.time)

    def _ask(self, command: OutlinedCommand, time: int) -> None:
        kind, position = command.kind, command.position
        if kind == "RunTask":
            if not is_internal(position):
                self._run(command, time)
        elif kind == "StartTimer":
            self._timer(command, time)
        elif kind == "WaitForEvent":
            self._wait_for_event(command, time)
        elif kind == "StartChild":
            name = command.workflow_id
            self._start("child", position, name, time)
            if command.wait:
                self._wait(Waiting(kind="child", position=position, since=time, name=name))
        elif kind in ("CancelTimer", "StopWaiting"):
            self._stop_waiting(position)
        elif kind in _ENDS:
            self._end(time)
        elif kind == "ContinueAsNew":
            self._forget()

    def _run(self, command: OutlinedCommand, time: int) -> None:
        task = self._tasks.get(command.position)
        if task is None:
            task = self._start("task", command.position, command.name, time)
        else:
            task.status = "running"
            task.completed_at = None
            task.asked = self.next_seq
            task.answered = None
            self._open[task.position] = task
        task.attempt = command.attempt

    def _start(self, kind: TaskKind, position: str, name: str, time: int) -> ToldTask:
        task = ToldTask(len(self._order), kind, position, name, time, self.next_seq)
        self._tasks[position] = self._open[position] = task
        self._order.append(task)
        return task

    def _timer(self, command: OutlinedCommand, time: int) -> None:
        position = command.position
        if command.purpose == "retry":
            task = self._tasks.get(position.rpartition("/")[0])
            if task is not None:
                task.status = "retrying"
                task.completed_at = None
                self._open[task.position] = task
                return
        if command.purpose in ("sleep", "retry"):
            until = command.due_ms
            self._wait(Waiting(kind="timer", position=position, since=time, until=until))

    def _finish(self, task: ToldTask, status: TaskStatus, at: int) -> None:
        task.status = status
        task.completed_at = at
        self._open.pop(task.position, None)

    def _wait_for_event(self, command: OutlinedCommand, time: int) -> None:
        name, position = command.name, command.position
        if self._kept[name]:
            self._kept[name] -= 1
        else:
            self._wait(Waiting(kind="event", position=position, since=time, name=name))
            self._events.setdefault(name, {})[position] = None

    def _wait(self, waiting: Waiting) -> None:
        self._stop_waiting(waiting.position)
        self._waits[waiting.position] = waiting

    def _stop_waiting(self, position: str) -> None:
        waiting = self._waits.pop(position, None)
        if waiting is not None and waiting.kind == "event" and waiting.name is not None:
            positions = self._events[waiting.name]
            del positions[position]
            if not positions:
                del self._events[waiting.name]

    def _end(self, time: int) -> None:
        self._waits.clear()
        self._events.clear()
        for task in tuple(self._open.values()):
            self._finish(task, "cancelled", time)

    def _forget(self) -> None:
        """The generation has ended: its positions come again."""
        self._tasks.clear()
        self._order.clear()
        self._open.clear()
        self._waits.clear()
        self._events.clear()
        self._kept.clear()

    # -- what is shown -------------------------------------------------------------------------

    def current_tasks(self, ended: Collection[Attempt] = ()) -> tuple[CurrentTask, ...]:
        """Tasks that run, or wait for their next attempt, but for attempts that have `ended`."""
        return tuple(
            CurrentTask(
                position=task.position,
                name=task.name,
                attempt=task.attempt,
                started_at=task.started_at,
            )
            for task in sorted(self._open.values(), key=lambda task: task.number)
            if task.kind == "task" and (task.position, task.attempt) not in ended
        )

    def waiting_for(self) -> tuple[Waiting, ...]:
        """Moments, events and children that are waited for."""
        return tuple(self._waits.values())

    def open_attempts(self) -> list[Attempt]:
        """Tasks that were asked for and not answered."""
        return [
            (task.position, task.attempt)
            for task in self._open.values()
            if task.status == "running" and task.kind == "task"
        ]

    def tasks(self, offset: int, limit: int) -> Sequence[ToldTask]:
        """Tasks and children in start order, from the `offset`-th on, as they are now."""
        return [task.copy() for task in self._order[offset : offset + limit]]


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


def moved(waiting_for: Sequence[Waiting], timers: Mapping[str, int]) -> tuple[Waiting, ...]:
    """What is waited for, timers until the moments to which pauses have moved them."""
    return tuple(
        msgspec.structs.replace(waiting, until=timers.get(waiting.position, waiting.until))
        if waiting.kind == "timer"
        else waiting
        for waiting in waiting_for
    )


def revision_of(row: Row, timers: Mapping[str, int], last_line: int) -> Revision:
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
        timers_ms=sum(timers.values()),
        last_line=last_line,
    )


def waiting_for_start(row: Row) -> tuple[Waiting, ...]:
    """The moment of its start, where an execution waits for it."""
    if row.start_at is None or row.status.ended:
        return ()
    return (Waiting(kind="start", position="", since=row.created_at, until=row.start_at),)
