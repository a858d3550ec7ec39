"""The real engine, store and worker on one loop in virtual time, with crashes after any commit.

A `World` is a data folder and what may not be forgotten about it: when it is, which tasks ran,
which ends were seen. It lives through `lives`: each is a server with its worker, from its start to
its end or crash. What must hold at every moment is checked while it runs (`Ledger`, `World.check`).
"""

import asyncio
import gc
import logging
import os
import random
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import apsw

from perdure.engine.engine import Engine
from perdure.engine.handle import Mark, WorkerProcess
from perdure.engine.state import Limits, Reader
from perdure.link.channel import Channel, Receiver
from perdure.link.memory import MemoryChannel, pair
from perdure.link.messages import ToEngine, ToWorker
from perdure.machine.batch import decode_batch
from perdure.machine.events import TASK_OUTCOMES, TaskCompleted, TaskFailed
from perdure.model.execution import Execution
from perdure.model.status import Status
from perdure.ports.executions import ListRequest
from perdure.ports.logs import LogFilter, LogQuery
from perdure.ports.runtime import RefusedError, StartRequest
from perdure.store.sqlite.store import JOURNAL_FILE, SqliteStore
from perdure.store.sqlite.transaction import commit
from perdure.worker.assembly import Assembly
from perdure.worker.catalog import Loaded
from perdure.worker.definitions import compile_nothing
from perdure.worker.marks import Marks
from perdure.worker.programs import Compile, Evaluator, Programs, Validator
from tests.support.virtual_time import START_MS, VirtualClock, VirtualLoop

T = TypeVar("T")

BEGINS = "attempt %d begins"
ENDS = "attempt %d ends"
"""What tasks log at their begin and at their end."""

SERVER_CRASH = "server crash"
WORKER_CRASH = "worker crash"
JOURNAL_FAILS = "failed commit"
LINES_FAIL = "failed commit of lines"
FULL_DISK = "full disk"
FULL_S = 2.5
"""For how long a disk is full."""

LIMITS = Limits(max_running=100, cancel_grace_ms=1_000, cleanup_ms=60_000, shutdown_grace_ms=5_000)
_PATIENCE_S = 600.0
_MEMORY = "/dev/shm"


class ServerCrash(SystemExit):
    """The server is gone, in the middle of whatever it did. Ends the loop at once."""


class Disturbance:
    """What goes wrong, and after how many commits of the journal."""

    def __init__(self, kind: str = "nothing", after: int = -1) -> None:
        self.kind = kind
        self.after = after

    def __repr__(self) -> str:
        return f"{self.kind} after commit {self.after}"


class InlineReader:
    """Reads at once."""

    async def __call__(self, read: Callable[..., T], *arguments: Any) -> T:
        """The result of ``read(*arguments)``."""
        return read(*arguments)


class SimulatedWorker:
    """A worker on the same loop."""

    def __init__(self, channel: MemoryChannel[ToWorker], assembly: Assembly, shared: Marks) -> None:
        self.channel: Channel[ToWorker] = channel
        self._memory = channel
        self._assembly = assembly
        self._shared = shared
        self._dead = False
        self._closed = False

    def marks(self) -> Sequence[Mark]:
        """What is on its CPU: nothing, since it only dies between steps."""
        return ()

    def death(self) -> str:
        """Nobody knows."""
        return ""

    def kill(self) -> None:
        """It dies: nothing of it is heard any more, and what it ran has stopped."""
        if not self._dead:
            self._dead = True
            self._memory.cut("killed")
            for attempts in self._assembly.attempts._by_execution.values():
                for attempt in attempts.values():
                    if isinstance(attempt.handle, asyncio.Task):
                        attempt.handle.cancel()
            self.close()

    def bury(self) -> None:
        """It is gone already."""

    def close(self) -> None:
        """Let go of what it shares with others of this process.

        Its machines are closed: garbage collected while another is stepped, what their cleanup
        code asks for would be asked of that one.
        """
        if not self._closed:
            self._closed = True
            for hosted in self._assembly.host._hosted.values():
                hosted._machine.close()
            self._assembly.close()
            self._shared.close()


def data_folder() -> "TemporaryDirectory[str]":
    """A folder for a world: in memory, where Linux has files there, since waiting for a disk proves
    nothing here. No crash of a simulation takes what the system holds.
    """
    return TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)


class World:
    """A data folder, and its servers one after the other."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        self.compile_document: Compile = compile_nothing
        self.validator: Validator | None = None
        self.disturbance = Disturbance()
        self.has_crashed = False
        self.tasks_log = False
        """Whether every task logs BEGINS and ENDS."""
        self.commits = 0
        self.commits_of_lines = 0
        self.full_until_s = 0.0
        self.now_ms = START_MS
        self.execution_id = ""
        self.begun: list[tuple[str, str, int]] = []
        """Attempts that began: execution, position, attempt."""
        self.wrong: list[str] = []
        """What may not be, found within a task: a program could catch what is raised there."""
        self.ends: dict[str, Status] = {}
        self.workers: list[SimulatedWorker] = []
        self.store: SqliteStore | None = None
        self.reader: Reader = InlineReader()
        self.evaluator: Callable[[asyncio.AbstractEventLoop], Evaluator] | None = None
        self.outcome: Any = None
        self.random = random.Random(1)
        self._dead: list[object] = []
        self.on_crash: Callable[[], None] = lambda: None
        """What happens between a crash of the server and the next start."""

    def serve(self, programs: Programs) -> None:
        """What workers serve from the next start on."""
        self.programs = programs

    # -- checks that hold at every moment ------------------------------------------------------

    def task_begins(self, execution_id: str, position: str, attempt: int) -> None:
        """A task has begun: its attempt must not be recorded as ended (promise 2)."""
        assert self.store is not None
        self.begun.append((execution_id, position, attempt))
        row = self.store.journal.row(execution_id)
        assert row is not None
        if row.status.ended:
            self.wrong.append(f"{position} begins in an ended execution")
        for body in self.store.journal.batches(execution_id, row.journal_start, 100_000):
            event = decode_batch(body).event
            if isinstance(event, TASK_OUTCOMES):
                recorded = (event.position, event.attempt)
                if recorded == (position, attempt):
                    self.wrong.append(f"attempt {attempt} of {position} is recorded and runs again")

    def check(self) -> None:
        """Nothing was wrong, ends stay ends, logs have no gap."""
        assert self.store is not None
        assert not self.wrong, self.wrong
        for row in self.store.journal.page(ListRequest(limit=1_000)).executions:
            seen = self.ends.get(row.execution_id)
            if seen is not None:
                assert row.status is seen, f"{row.execution_id} was {seen}, now {row.status}"
            elif row.status.ended:
                self.ends[row.execution_id] = row.status
            lines = self.store.logs.page(row.execution_id, LogQuery(limit=100_000)).records
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1))

    def check_lines(self) -> None:
        """What a recorded attempt logged, and what went wrong with it, is in the log.

        It is there once for each time that it began, and without a crash it begins once.
        """
        assert self.store is not None
        for row in self.store.journal.page(ListRequest(limit=1_000)).executions:
            bodies = self.store.journal.batches(row.execution_id, 0, 100_000)
            for event in (decode_batch(body).event for body in bodies):
                if isinstance(event, TaskCompleted | TaskFailed):
                    self._check_lines_of(row.execution_id, event)

    def _check_lines_of(self, execution_id: str, event: TaskCompleted | TaskFailed) -> None:
        assert self.store is not None
        query = LogQuery(filter=LogFilter(position=event.position), limit=100_000)
        said = [line.message for line in self.store.logs.page(execution_id, query).records]
        begun = self.begun.count((execution_id, event.position, event.attempt))
        assert begun == 1 or self.has_crashed, f"{event.position} began {begun} times"
        assert 1 <= said.count(BEGINS % event.attempt) <= begun, said
        assert 1 <= said.count(ENDS % event.attempt) <= begun, said
        if isinstance(event, TaskFailed):
            failed = f"attempt {event.attempt} of step failed: "
            assert 1 <= sum(line.startswith(failed) for line in said) <= begun, said

    # -- disturbances ----------------------------------------------------------------------------

    def _commit(self, connection: apsw.Connection) -> None:
        if not self._armed:
            commit(connection)
            return
        kind, after = self.disturbance.kind, self.disturbance.after
        if Path(connection.filename).name == JOURNAL_FILE:
            self.commits += 1
            disturbed = kind != LINES_FAIL and self.commits == after
        else:
            self.commits_of_lines += 1
            disturbed = kind == LINES_FAIL and self.commits_of_lines == after
        now_s = asyncio.get_running_loop().time()
        if disturbed and kind == FULL_DISK:
            self.full_until_s = now_s + FULL_S
        if now_s < self.full_until_s or (disturbed and kind in (JOURNAL_FAILS, LINES_FAIL)):
            raise apsw.FullError("the disk is full")
        commit(connection)
        if disturbed and kind == SERVER_CRASH:
            self.has_crashed = True
            raise ServerCrash
        if disturbed and kind == WORKER_CRASH:
            self.has_crashed = True
            self.workers[-1].kill()

    _armed = False

    # -- lives -----------------------------------------------------------------------------------

    def live(self, script: "Callable[[Engine, World], Awaitable[T]]") -> T:
        """Run servers until one carries the script to its end; crashed ones are followed."""
        while True:
            loop = VirtualLoop()
            clock = VirtualClock(loop, self.now_ms)
            try:
                return loop.run_until_complete(self._life(loop, clock, script))
            except ServerCrash:
                self.disturbance = Disturbance()
                self.on_crash()
            finally:
                self.now_ms = clock.now_ms() + 1
                self._bury(loop)

    async def _life(
        self,
        loop: VirtualLoop,
        clock: VirtualClock,
        script: "Callable[[Engine, World], Awaitable[T]]",
    ) -> T:
        self.store = store = SqliteStore.open(
            self.folder, loop.call_soon, threads=False, commit=self._commit
        )
        engine = Engine(
            store.journal,
            store.logs,
            clock,
            self.reader,
            _Spawner(self, loop, clock),
            LIMITS,
            self.random.getrandbits,
        )
        self._armed = True
        await engine.start()
        await engine.first_served()
        result = await script(engine, self)
        self._armed = False
        await engine.stop()
        self.check()
        if self.tasks_log:
            self.check_lines()
        store.close()
        self.store = None
        return result

    def _bury(self, loop: VirtualLoop) -> None:
        """Drop a loop with all that still runs on it, as a crash does: none of it goes on."""
        self._armed = False
        if self.store is not None:
            self.store.abandon()
            self.store = None
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            self._dead.append(task)
        loop.set_exception_handler(lambda loop, context: None)
        loop.close()
        self._dead.append(loop)
        for worker in self.workers:
            worker.close()
        self.workers.clear()


class _Spawner:
    """Starts workers on the same loop."""

    def __init__(self, world: World, loop: VirtualLoop, clock: VirtualClock) -> None:
        self._world = world
        self._loop = loop
        self._clock = clock

    async def spawn(self, number: int, receiver: Receiver[ToEngine]) -> WorkerProcess:
        """Start a worker."""
        marks = Marks.create(4)
        evaluator = self._world.evaluator
        assembly = Assembly(
            self._loop,
            Loaded(self._world.programs),
            self._clock,
            partial(self._world.random.getrandbits, 63),
            marks,
            compile_document=self._world.compile_document,
            validator=self._world.validator,
            evaluator=None if evaluator is None else evaluator(self._loop),
        )
        to_worker, to_engine = pair(receiver, assembly.host)
        assembly.connect(to_engine)
        worker = SimulatedWorker(to_worker, assembly, marks)
        self._world.workers.append(worker)
        return worker


# -- scripts ---------------------------------------------------------------------------------


class Action:
    """Something that an operator does, at a time after the start; done once."""

    def __init__(self, at_s: float, kind: str, name: str = "", data: bytes = b"null") -> None:
        self.at_s = at_s
        self.kind = kind
        self.name = name
        self.data = data
        self.done = False

    async def perform(self, engine: Engine, execution_id: str) -> None:
        """Do it; what does not apply any more is left."""
        try:
            if self.kind == "event":
                event_id = f"{self.name} at {self.at_s}"
                await engine.send_event(execution_id, self.name, self.data, event_id)
            elif self.kind == "pause":
                await engine.pause(execution_id)
            elif self.kind == "resume":
                await engine.resume(execution_id)
            elif self.kind == "cancel":
                await engine.cancel(execution_id)
        except RefusedError as refused:
            if refused.code == "storage_failed":
                raise


async def retrying(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again what is refused since a write failed, as a client would."""
    while True:
        try:
            return await attempt()
        except RefusedError as refused:
            if refused.code != "storage_failed":
                raise
            await asyncio.sleep(0.1)


def execute_to_end(
    request: StartRequest, actions: Sequence[Action] = (), *, patience_s: float = _PATIENCE_S
) -> Callable[[Engine, World], Awaitable[Execution]]:
    """A script: start an execution unless it has been acknowledged, act, and wait for its end."""
    started_ms: list[int] = []

    async def script(engine: Engine, world: World) -> Execution:
        if not world.execution_id:
            head = await retrying(lambda: engine.execute(request))
            world.execution_id = head.execution_id
            started_ms.append(head.created_at)
        acting = asyncio.ensure_future(_act(engine, world, actions, started_ms[0]))
        ended = await engine.wait(world.execution_id, patience_s)
        acting.cancel()
        await asyncio.wait([acting])
        execution = await engine.execution(world.execution_id, logs=100)
        assert ended, f"it did not end: {execution}"
        return execution

    return script


def execute_until_held(request: StartRequest) -> Callable[[Engine, World], Awaitable[Execution]]:
    """A script: start an execution, and wait until it has ended or is paused."""

    async def script(engine: Engine, world: World) -> Execution:
        if not world.execution_id:
            head = await retrying(lambda: engine.execute(request))
            world.execution_id = head.execution_id
        for _ in range(round(_PATIENCE_S)):
            if await engine.wait(world.execution_id, 1.0):
                break
            execution = await engine.execution(world.execution_id, logs=0)
            if execution.head.status is Status.PAUSED:
                break
        return await engine.execution(world.execution_id, logs=0)

    return script


def resume_to_end() -> Callable[[Engine, World], Awaitable[Execution]]:
    """A script: resume the execution, and wait for its end."""

    async def script(engine: Engine, world: World) -> Execution:
        await engine.resume(world.execution_id)
        assert await engine.wait(world.execution_id, _PATIENCE_S)
        return await engine.execution(world.execution_id, logs=0)

    return script


async def _act(engine: Engine, world: World, actions: Sequence[Action], started_ms: int) -> None:
    loop = asyncio.get_running_loop()
    base_ms = world.now_ms - round(loop.time() * 1000) if loop.time() == 0 else world.now_ms
    for action in sorted(actions, key=lambda action: action.at_s):
        if action.done:
            continue
        due_s = (started_ms + action.at_s * 1000 - base_ms) / 1000
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        await retrying(lambda action=action: action.perform(engine, world.execution_id))  # type: ignore[misc]
        action.done = True


@contextmanager
def buried_quietly() -> Iterator[None]:
    """What a crash leaves half done complains when it is collected, and the engine tells of deaths;
    here both are expected. Loggers are left as they were.
    """
    loggers = [logging.getLogger(), logging.getLogger("perdure")]
    levels = [logger.level for logger in loggers]
    logging.getLogger("perdure").setLevel(logging.CRITICAL)
    hook, sys.unraisablehook = sys.unraisablehook, lambda unraisable: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
            gc.collect()
    finally:
        sys.unraisablehook = hook
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
