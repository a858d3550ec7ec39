"""What the services of the engine share."""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from perdure.engine.catalog import ServedCatalog
from perdure.engine.creations import Creations
from perdure.engine.followed import Followed
from perdure.engine.lines import Lines
from perdure.engine.watchers import Watchers, wake
from perdure.link.channel import Channel
from perdure.link.messages import ToWorker
from perdure.model.execution import Execution, Level
from perdure.ports.clock import Clock
from perdure.ports.journal import Change, CreateExecution, Journal, Outcome, Parent
from perdure.ports.logs import STORY, Logs, NewLogRecord

T = TypeVar("T")

log = logging.getLogger(__name__)

_FINISHED_LIMIT = 256
"""Ends that wait to be shown; those beyond are read."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's bounds. Times in milliseconds or seconds, as their names say."""

    max_running: int = 1_000
    max_pending: int = 100_000
    max_backlog: int = 20_000
    max_watchers: int = 10_000
    workers: int = 1
    cancel_grace_ms: int = 10_000
    cleanup_ms: int = 300_000
    shutdown_grace_ms: int = 30_000
    cancel_reply_s: float = 0.2
    storage_retry_s: float = 1.0
    idempotency_ttl_ms: int = 86_400_000


class Reader(Protocol):
    """Runs blocking reads so that the loop does not wait for them."""

    def __call__(self, read: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """The result of ``read(*arguments)``."""
        ...


class Worker(Protocol):
    """A worker as ownership and admission see it."""

    number: int
    owned: "dict[str, Owned]"
    served: dict[tuple[str, str], str]
    defined: OrderedDict[str, int]

    @property
    def channel(self) -> Channel[ToWorker]:
        """The way to it."""
        ...

    @property
    def draining(self) -> bool:
        """Whether it gives back what it owns, to be replaced."""
        ...


class Owned:
    """An execution that a worker owns, as far as the engine needs to know it."""

    __slots__ = (
        "batches",
        "bytes",
        "control_seq",
        "depth",
        "ended_at",
        "epoch",
        "execution_id",
        "followed",
        "halted",
        "inbox_sent",
        "next_seq",
        "parent",
        "priority",
        "refused",
        "run",
        "storage_failed",
        "unwritten",
        "worker",
        "workflow_id",
        "working",
    )

    def __init__(self, execution_id: str, workflow_id: str, worker: Worker, epoch: int) -> None:
        self.execution_id = execution_id
        self.workflow_id = workflow_id
        self.worker = worker
        self.epoch = epoch
        self.next_seq = 0
        """The sequence number that the next append must have."""
        self.inbox_sent = 0
        """Up to where the inbox has been handed to the worker."""
        self.control_seq = 0
        self.working = True
        """Whether it holds a slot of the running limit."""
        self.halted = False
        """Whether the worker was told to discard it: nothing of it is taken any more."""
        self.unwritten = 0
        """Appends that are not yet on disk."""
        self.refused: dict[int, int] = {}
        """Appends that were submitted and not recorded: by `seq`, the tickets of their lines."""
        self.storage_failed = False
        """Whether one of them was not for a failure of the store."""
        self.batches = 0
        self.bytes = 0
        self.parent: Parent | None = None
        self.depth = 0
        """How many executions stand above it."""
        self.followed: Followed | None = None
        self.ended_at = 0
        """When its end, which may not be on disk yet, was."""
        self.priority = 0
        self.run = 1


class State:
    """The engine's memory, and its way to the store."""

    def __init__(
        self, journal: Journal, logs: Logs, clock: Clock, reader: Reader, limits: Limits
    ) -> None:
        self.journal = journal
        self.changes = Creations(journal)
        """Where changes of the journal are submitted."""
        self.logs = logs
        self.lines = Lines(logs, limits.storage_retry_s)
        """Where lines are written."""
        self.clock = clock
        self.read = reader
        self.limits = limits
        self.catalog = ServedCatalog()
        self.owned: dict[str, Owned] = {}
        self.elsewhere: dict[str, dict[tuple[str, int], Worker]] = {}
        """Attempts that run in a worker which does not own their execution."""
        self.cancels: dict[str, float] = {}
        """Since when, on the monotonic clock, running executions are being cancelled."""
        self.timed_out: dict[str, set[tuple[str, int]]] = {}
        """Attempts that were killed for their timeout, until that is recorded."""
        self.working = 0
        """Slots of the running limit that are taken."""
        self.stopping = False
        self._failing_reads = 0
        """How many reads are tried again."""
        self._finished: dict[str, Execution] = {}
        self._end_waiters: defaultdict[str, list[asyncio.Future[None]]] = defaultdict(list)
        self.watchers = Watchers()
        """Who waits for any change of a status."""
        self.tasks: set[asyncio.Task[Any]] = set()

    async def read_surely(self, read: Callable[..., T], *arguments: Any) -> T:
        """A read that a service cannot do without: tried again until it succeeds.

        That reads fail is told once, until none does any more.
        """
        has_failed = False
        while True:
            try:
                result = await self.read(read, *arguments)
            except Exception as error:
                if not has_failed:
                    has_failed = True
                    self._failing_reads += 1
                    if self._failing_reads == 1:
                        log.error("a read of the store failed, and is tried again: %r", error)
                await asyncio.sleep(self.limits.storage_retry_s)
            else:
                if has_failed:
                    self._failing_reads -= 1
                    if not self._failing_reads:
                        log.warning("the store can be read again")
                return result

    def submit(self, change: Change, *, after_logs: int = 0) -> "asyncio.Future[Outcome]":
        """Submit a change; the future has its outcome once it is on disk or refused."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.changes.submit(change, partial(_settle, future), after_logs=after_logs)
        return future

    def create(self, create: CreateExecution) -> "asyncio.Future[Outcome]":
        """Submit the creation of an execution that is already given to a worker; as `submit`."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.changes.hold(create, partial(_settle, future))
        return future

    def tell(
        self,
        execution_id: str,
        message: str,
        level: Level = "INFO",
        fields: dict[str, object] | None = None,
    ) -> int:
        """Add a line of perdure's own to an execution's log; the ticket of the write."""
        encoded = msgspec.json.encode(fields) if fields else None
        now_ms = self.clock.now_ms()
        self.unfollow(execution_id)
        record = NewLogRecord(execution_id, now_ms, level, None, message, encoded, STORY)
        return self.lines.write(execution_id, [record])

    def unfollow(self, execution_id: str) -> None:
        """What is shown of an execution is to be read from now on."""
        owned = self.owned.get(execution_id)
        if owned is not None:
            owned.followed = None

    def in_background(self, work: "asyncio._CoroutineLike[Any]") -> None:
        """Run a coroutine beside everything else, until the engine stops."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a service of the engine failed", "exception": error}
            )

    # -- who waits for an end ------------------------------------------------------------------

    def end_of(self, execution_id: str) -> "asyncio.Future[None]":
        """A future that is done when the execution has ended. Give it back with `forget`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end_waiters[execution_id].append(future)
        return future

    def forget(self, execution_id: str, future: "asyncio.Future[None]") -> None:
        """Nobody waits on this future any more."""
        waiters = self._end_waiters.get(execution_id)
        if waiters is not None and future in waiters:
            waiters.remove(future)
            if not waiters:
                del self._end_waiters[execution_id]

    def awaited(self, execution_id: str) -> bool:
        """Whether somebody waits for this end."""
        return execution_id in self._end_waiters

    def take_finished(self, execution_id: str) -> Execution | None:
        """The execution as it ended, where somebody waited and it was followed; given once."""
        return self._finished.pop(execution_id, None)

    def changed(self, execution_id: str) -> None:
        """The status of an execution has changed, and that is on disk: wake those who wait."""
        self.watchers.wake(execution_id)

    def ended(self, execution_id: str, finished: Execution | None = None) -> None:
        """An execution has ended: wake those who wait for it."""
        self.cancels.pop(execution_id, None)
        self.changed(execution_id)
        waiters = self._end_waiters.pop(execution_id, ())
        if finished is not None and waiters:
            self._finished[execution_id] = finished
            if len(self._finished) > _FINISHED_LIMIT:
                del self._finished[next(iter(self._finished))]
        for future in waiters:
            wake(future)


def _settle(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
