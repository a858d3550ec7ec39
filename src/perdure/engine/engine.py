"""The embedded engine as the API sees it: the port `Runtime` over the services."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from perdure.engine.admission import Admission
from perdure.engine.control import Control
from perdure.engine.downloads import Downloads
from perdure.engine.followed import LINES as FOLLOWED_LINES
from perdure.engine.handle import Spawner
from perdure.engine.ownership import Ownership
from perdure.engine.recovery import Recovery
from perdure.engine.refusals import unknown_execution
from perdure.engine.registry import Registry
from perdure.engine.retention import Retention
from perdure.engine.retiring import Retiring
from perdure.engine.scheduled import Scheduled
from perdure.engine.starting import Starting
from perdure.engine.state import Limits, Reader, State
from perdure.engine.stories import Stories, Telling
from perdure.engine.task_runs import ended_attempts, result_of, with_values
from perdure.engine.timers import Timers
from perdure.engine.trials import Reloaded
from perdure.engine.views import Story, ToldTask, head_of, moved, revision_of, waiting_for_start
from perdure.engine.watchers import within
from perdure.engine.workers import Workers
from perdure.link.messages import ImportProblem
from perdure.model.execution import CurrentTask, Execution, Head, Revision, TaskRun, Waiting
from perdure.model.identifiers import RANDOM_BITS, execution_id, execution_key, next_key
from perdure.model.status import Status
from perdure.ports.clock import Clock
from perdure.ports.executions import ListPage, ListRequest
from perdure.ports.journal import Journal, Nothing, Row
from perdure.ports.logs import LogFile, LogPage, LogQuery, Logs
from perdure.ports.runtime import (
    DocumentProblem,
    Download,
    Health,
    Offer,
    Registered,
    Served,
    Started,
    StartRequest,
)

T = TypeVar("T")


class Engine:
    """Runs executions on workers, and keeps their record in the store."""

    def __init__(
        self,
        journal: Journal,
        logs: Logs,
        clock: Clock,
        reader: Reader,
        spawner: Spawner,
        limits: Limits,
        random_bits: Callable[[int], int],
        read_parts: Reader | None = None,
    ) -> None:
        # Without a reader of their own, downloads share that of all reads.
        self._state = state = State(journal, logs, clock, reader, limits)
        self._downloads = Downloads(logs, read_parts or reader)
        self._stories = Stories(journal)
        self._random_bits = random_bits
        self._last_key = 0
        self._ownership = ownership = Ownership(state, self._new_id)
        self._workers = Workers(state, ownership, spawner)
        self._admission = admission = Admission(state, ownership, self._workers)
        self._timers = timers = Timers(state, ownership)
        self._scheduled = scheduled = Scheduled(state, admission)
        self._control = control = Control(state, ownership, admission, timers, scheduled)
        self._starting = Starting(
            state, ownership, admission, scheduled, self._workers, self._new_id
        )
        self._retiring = Retiring(state, self._workers)
        self._registry = Registry(state, self._workers)
        self._workers.on_ready = admission.worker_ready
        self._workers.on_crash_loop = control.fail
        self._workers.liveness.on_unstoppable = control.cut_off
        ownership.on_ready = ownership.returns.on_ready = admission.ready
        ownership.on_slot = admission.kick
        ownership.on_children = admission.queued
        ownership.on_timer = timers.set
        ownership.on_progress = self._workers.progressed
        ownership.on_ended = self._workers.ended
        ownership.on_cancel_child = self._cancel_child

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up the record where it stands, and start the workers."""
        state = self._state
        newest = await state.read(state.journal.newest_id)
        self._last_key = (execution_key(newest) if newest else None) or 0
        state.catalog.retire(await state.read(state.journal.retirements))
        await self._registry.start()
        self._workers.start()
        await Recovery(state, self._admission).run()
        state.in_background(self._timers.run())
        state.in_background(self._scheduled.run())
        state.in_background(Retention(state).run())

    async def first_served(self) -> None:
        """Wait until a worker takes executions."""
        await self._workers.first_serving.wait()

    async def reload(self) -> Reloaded:
        """Have the workers' code as it is now serve new executions, if it can be loaded.

        One at a time. Cancelled, it is given up, and what serves goes on.
        """
        return await self._workers.reload()

    async def stop(self) -> None:
        """Take no more, give attempts that run a time to end, and stop the workers."""
        state = self._state
        state.stopping = True
        state.watchers.wake_all()
        await self._workers.stop()
        await state.submit(Nothing())  # what becomes of outcomes that were handed back is decided
        state.lines.retry()
        for task in tuple(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)

    def _new_id(self) -> str:
        now_ms = self._state.clock.now_ms()
        self._last_key = next_key(self._last_key, now_ms, self._random_bits(RANDOM_BITS))
        return execution_id(self._last_key)

    def _cancel_child(self, parent_id: str, position: str) -> None:
        self._state.in_background(self._control.cancel_child(parent_id, position))

    # -- the port Runtime ----------------------------------------------------------------------

    async def execute(self, request: StartRequest) -> Head:
        """Start an execution; returns once the start is on disk."""
        return await self._starting.execute(request)

    async def execute_once(self, request: StartRequest, key: str) -> Started:
        """Start an execution unless its caller has started it under this key before."""
        return await self._starting.execute_once(request, key)

    async def wait(self, execution_id: str, seconds: float) -> bool:
        """Wait until the execution has ended: whether it did within the time."""
        state = self._state
        ended = state.end_of(execution_id)
        try:
            if execution_id not in state.owned:
                row = await state.read(state.journal.row, execution_id)
                if row is None or row.status.ended:
                    return True
            await within(ended, seconds)
            return ended.done()
        finally:
            state.forget(execution_id, ended)

    async def wait_for_change(
        self, execution_id: str, seconds: float, *, since: Status | None = None
    ) -> bool:
        """Wait until the status changes, or is not `since`. False: too many wait."""
        state = self._state
        if state.watchers.count >= state.limits.max_watchers or state.stopping:
            return False
        change = state.watchers.watch(execution_id)
        try:
            row = await self._row(execution_id)
            if not row.status.ended and since in (None, row.status):
                await within(change, seconds)
            return True
        finally:
            state.watchers.forget(execution_id, change)

    async def revision(self, execution_id: str, *, with_logs: bool) -> Revision:
        """Where an execution stands, without reading all of it."""
        return await self._state.read(self._read_revision, execution_id, with_logs)

    async def execution(self, execution_id: str, *, logs: int) -> Execution:
        """The whole execution, with its newest `logs` lines."""
        finished = self._state.take_finished(execution_id)
        if finished is not None and logs >= FOLLOWED_LINES:
            return finished
        telling = self._stories.telling(execution_id)
        while True:
            execution = await self._state.read(self._read_execution, execution_id, logs, telling)
            if execution is not None:
                return execution

    async def executions(self, request: ListRequest) -> ListPage:
        """A page of the list of executions."""
        return await self._state.read(self._state.journal.page, request)

    async def logs(self, execution_id: str, query: LogQuery) -> LogPage:
        """A page of log lines."""
        await self._row(execution_id)
        return await self._state.read(self._state.logs.page, execution_id, query)

    async def download(self, execution_id: str, file: LogFile, *, gzip: bool) -> Download:
        """The log as a file, compressed if `gzip`; it ends with the last line there is now."""
        await self._row(execution_id)
        return await self._downloads.open(execution_id, file, gzip=gzip)

    async def tasks(self, execution_id: str, offset: int, limit: int) -> Sequence[TaskRun]:
        """Task runs in start order, from the `offset`-th on."""
        state = self._state
        while True:
            telling = self._stories.telling(execution_id)
            page: tuple[Row, Sequence[ToldTask]] | None = None
            while page is None:
                page = await state.read(
                    _go_on, telling, lambda row, story: (row, story.tasks(offset, limit))
                )
            runs = await state.read(with_values, state.journal, *page)
            if runs is not None:
                return runs

    async def cancel(self, execution_id: str) -> Head:
        """Ask for an execution to be cancelled; waits a moment for it to stop."""
        await self._control.cancel(execution_id)
        return head_of(await self._row(execution_id))

    async def pause(self, execution_id: str) -> Head:
        """Pause an execution."""
        await self._control.pause(execution_id)
        return head_of(await self._row(execution_id))

    async def resume(self, execution_id: str) -> Head:
        """Resume a paused execution."""
        await self._control.resume(execution_id)
        return head_of(await self._row(execution_id))

    async def send_event(
        self, execution_id: str, name: str, data: bytes, event_id: str | None
    ) -> bool:
        """Hand an event to an execution, on disk on return; False if its id came before."""
        return await self._control.send_event(execution_id, name, data, event_id)

    def offers(self, after: str, limit: int, *, retired: bool) -> Sequence[Offer]:
        """The highest version of each workflow by id, from the first id beyond `after` on."""
        self._workers.require_first()
        return self._state.catalog.offers(after, limit, retired=retired)

    def versions(self, workflow_id: str) -> Sequence[Offer]:
        """Every served version of a workflow, the highest first."""
        self._workers.require_first()
        return self._state.catalog.versions(workflow_id)

    async def source(self, served: Served) -> str | None:
        """The text of a definition; None where it is not known."""
        return await self._registry.source(served)

    async def register(self, source: bytes) -> Registered:
        """Keep a document, on disk on return."""
        return await self._registry.register(source)

    async def validate(self, source: bytes) -> Sequence[DocumentProblem]:
        """Every problem of a document; nothing is kept."""
        return await self._registry.validate(source)

    async def retire(self, workflow_id: str) -> None:
        """Let callers start no version of a workflow that is served now, nor a lower one."""
        await self._retiring.retire(workflow_id)

    def workflows(self) -> Sequence[Served]:
        """Every version that callers can execute, by id, the highest first."""
        return self._state.catalog.all()

    def import_problems(self) -> Sequence[ImportProblem]:
        """What the workers could not load."""
        return self._state.catalog.problems

    def health(self) -> Health:
        """How the engine is."""
        state, serving = self._state, self._workers.serving
        problems = [str(problem) for problem in state.catalog.problems]
        return Health(
            ready=serving > 0 and not state.stopping,
            workers=serving,
            running=state.working,
            pending=self._admission.pending,
            problems=problems,
        )

    # -- reading -------------------------------------------------------------------------------

    async def _row(self, execution_id: str) -> Row:
        row = await self._state.read(self._state.journal.row, execution_id)
        if row is None:
            raise unknown_execution(execution_id)
        return row

    def _show(
        self, row: Row, story: Story
    ) -> tuple[Row, tuple[CurrentTask, ...], tuple[Waiting, ...]]:
        ended = ended_attempts(self._state.journal, row)
        return row, story.current_tasks(ended), story.waiting_for()

    def _read_execution(self, execution_id: str, logs: int, telling: Telling) -> Execution | None:
        """The execution, or None where its story is to be told on first."""
        journal = self._state.journal
        row = journal.row(execution_id)
        if row is None:
            raise unknown_execution(execution_id)
        current_tasks: tuple[CurrentTask, ...] = ()
        waiting_for: tuple[Waiting, ...] = ()
        timers: Mapping[str, int] = {}
        if not row.status.ended:
            timers = journal.timers(execution_id)
            shown = _go_on(telling, self._show)
            if shown is None:
                return None
            row, current_tasks, waiting_for = shown
        result = None
        if row.status is Status.COMPLETED:
            result = result_of(journal.batches(execution_id, row.next_seq - 1, 1))
        lines = tuple(self._state.logs.newest(execution_id, logs)) if logs else ()
        return Execution(
            head=head_of(row),
            inputs=msgspec.Raw(journal.inputs(execution_id)),
            result=result,
            error=row.error,
            current_tasks=current_tasks,
            waiting_for=waiting_for_start(row) or moved(waiting_for, timers),
            created_by=row.created_by,
            attempt=row.run,
            cancel_requested_at=row.cancel_requested_at,
            paused_at=row.paused_at,
            logs=lines,
            revision=revision_of(row, timers, lines[-1].seq if lines else 0),
        )

    def _read_revision(self, execution_id: str, with_logs: bool) -> Revision:
        row = self._state.journal.row(execution_id)
        if row is None:
            raise unknown_execution(execution_id)
        timers = {} if row.status.ended else self._state.journal.timers(execution_id)
        newest = self._state.logs.newest(execution_id, 1) if with_logs else ()
        return revision_of(row, timers, newest[-1].seq if newest else 0)


def _go_on(telling: Telling, show: Callable[[Row, Story], T]) -> T | None:
    try:
        return telling.go_on(show)
    except LookupError as error:
        raise unknown_execution(str(error.args[0])) from None
