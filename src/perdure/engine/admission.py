"""Decides what is loaded next: the limit on running, pending executions, ready ones.

A running execution with something to do (`ready`) comes before pending ones; pending ones come in
the order of priority and age. What waits holds no slot. Only ids are kept in memory, and of
pending executions not even these.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from perdure.engine.defining import Defining
from perdure.engine.followed import Followed
from perdure.engine.generations import Pin
from perdure.engine.ownership import Ownership
from perdure.engine.state import Owned, State, Worker
from perdure.link import messages as m
from perdure.model import failure as failures
from perdure.model.status import Status
from perdure.ports.journal import Admit, CreateExecution, InboxEntry, Snapshot

_PAGE = 256


class Pool(Protocol):
    """The workers among which executions are distributed."""

    def choose(self, execution_id: str, pin: Pin | None = None) -> Worker | None:
        """The worker for an execution, None where there is none now."""
        ...

    def serves(self, pin: Pin) -> bool:
        """Whether some worker serves this very code, of whatever generation."""
        ...


class Admission:
    """Loads executions into workers as slots become free."""

    def __init__(self, state: State, ownership: Ownership, pool: Pool) -> None:
        self._state = state
        self._ownership = ownership
        self._pool = pool
        self._defining = Defining(state)
        self._parked: set[str] = set()
        self._ready: deque[str] = deque()
        self._queued: set[str] = set()
        self._loading: set[str] = set()
        self._again: set[str] = set()
        """Those that became ready while they were being loaded, perhaps from before that."""
        self._admitting: set[str] = set()
        self._kicked = False
        self._looking = False
        self.pending = 0
        """How many pending executions may start now, as far as is known."""

    @property
    def has_room(self) -> bool:
        """Whether a new execution may begin at once."""
        return (
            not self.pending
            and not self._ready
            and self._state.working + len(self._loading) < self._state.limits.max_running
        )

    def ready(self, execution_id: str) -> None:
        """A running execution has something to do."""
        if execution_id not in self._queued:
            self._queued.add(execution_id)
            self._ready.append(execution_id)
            self.kick()

    def queued(self, count: int) -> None:
        """So many executions more have been recorded as pending, and may start now."""
        self.pending += count
        self.kick()

    def worker_ready(self) -> None:
        """A worker can take executions: those that found none come again."""
        parked, self._parked = self._parked, set()
        for execution_id in parked:
            self.ready(execution_id)
        self.kick()

    def kick(self) -> None:
        """Look for what can be loaded, soon."""
        if not self._kicked and not self._state.stopping:
            self._kicked = True
            asyncio.get_running_loop().call_soon(self._fill)

    def begin(self, create: CreateExecution) -> Owned | None:
        """Have a new execution begun at once, before its creation is on disk.

        None where there is no worker, or it has to be given the definition first.
        """
        pin = Pin(create.workflow_id, create.workflow_version, create.digest)
        worker = self._pool.choose(create.execution_id, pin)
        defined = None if worker is None else self._defining.define(worker, pin)
        if worker is None or defined is None:
            return None
        owned = Owned(create.execution_id, create.workflow_id, worker, epoch=1)
        owned.parent = create.parent
        owned.depth = create.depth
        owned.followed = Followed(create)
        owned.priority = create.priority
        load = m.Load(
            create.execution_id,
            1,
            create.workflow_id,
            create.workflow_version,
            1,
            create.timeout_ms,
            0,
            create.inputs,
            defined=defined,
        )
        self._ownership.own(owned, load)
        return owned

    # -- filling slots -------------------------------------------------------------------------

    def _free(self) -> int:
        state = self._state
        taken = state.working + len(self._loading) + len(self._admitting)
        return state.limits.max_running - taken

    def _fill(self) -> None:
        self._kicked = False
        returns = self._ownership.returns
        while self._ready and self._free() > 0 and not self._state.stopping:
            execution_id = self._ready.popleft()
            self._queued.discard(execution_id)
            if execution_id in self._loading:
                self._again.add(execution_id)
                continue
            if execution_id not in self._state.owned and not returns.hold_up(execution_id):
                self._loading.add(execution_id)
                self._state.in_background(self._load(execution_id))
        if (
            self.pending > 0
            and not self._ready
            and not self._looking
            and self._free() > 0
            and self._pool.choose("") is not None
        ):
            self._looking = True
            self._state.in_background(self._admit())

    async def _admit(self) -> None:
        state = self._state
        try:
            limit = min(self._free() + len(self._admitting), _PAGE)
            if limit <= 0:
                return
            known = self.pending
            found = await state.read_surely(state.journal.pending, limit)
            if not found:
                # Those that were queued while this was read may not be in what was found.
                self.pending -= min(known, self.pending)
                self.kick()
            for execution_id in found:
                if self._free() <= 0:
                    break
                if execution_id not in self._admitting:
                    self._admitting.add(execution_id)
                    state.in_background(self._admit_one(execution_id))
        finally:
            self._looking = False

    async def _admit_one(self, execution_id: str) -> None:
        state = self._state
        try:
            outcome = await state.submit(Admit(execution_id=execution_id, at=state.clock.now_ms()))
        finally:
            self._admitting.discard(execution_id)
        if outcome.done:
            self.pending = max(0, self.pending - 1)
            state.changed(execution_id)
            self.ready(execution_id)
        elif outcome.reason == "storage":
            await asyncio.sleep(state.limits.storage_retry_s)
        self.kick()

    async def _load(self, execution_id: str) -> None:
        """Give an execution to a worker, with all that is recorded of it.

        Where an outcome was handed back meanwhile, it is loaded once that is in the inbox.
        """
        state, ownership = self._state, self._ownership
        arriving = ownership.arriving.setdefault(execution_id, [])
        try:
            if self._pool.choose(execution_id) is None:
                self._parked.add(execution_id)
                return
            snapshot = await state.read_surely(state.journal.snapshot, execution_id)
            if snapshot is None or snapshot.row.status is not Status.RUNNING or state.stopping:
                return
            pin = _pin(snapshot)
            served = state.catalog.serves(pin.workflow_id, pin.version) or self._pool.serves(pin)
            if not served:
                await ownership.hold(execution_id, _unserved(snapshot))
                return
            logged = await state.read_surely(
                state.logs.of_batch, execution_id, snapshot.row.next_seq
            )
            await self._defining.fetch(pin)
            worker = self._pool.choose(execution_id, pin)
            if worker is None:
                self._parked.add(execution_id)
                return
            if ownership.returns.hold_up(execution_id):
                return
            defined = self._defining.define(worker, pin)
            if defined is None:
                await ownership.hold(execution_id, _unserved(snapshot))
                return
            self._give(worker, snapshot, arriving, logged, defined)
        finally:
            self._loading.discard(execution_id)
            ownership.arriving.pop(execution_id, None)
            if execution_id in self._again:
                self._again.discard(execution_id)
                self.ready(execution_id)
            self.kick()

    def _give(
        self,
        worker: Worker,
        snapshot: Snapshot,
        arriving: Sequence[InboxEntry],
        logged: Sequence[str],
        defined: str,
    ) -> None:
        row = snapshot.row
        owned = Owned(row.execution_id, row.workflow_id, worker, row.epoch + 1)
        last = snapshot.inbox[-1].inbox_seq if snapshot.inbox else row.inbox_read
        inbox = [*snapshot.inbox, *(entry for entry in arriving if entry.inbox_seq > last)]
        owned.next_seq = row.next_seq
        owned.inbox_sent = inbox[-1].inbox_seq if inbox else row.inbox_read
        owned.control_seq = row.control_seq
        if row.cancel_requested_at is not None:
            self._state.cancels.setdefault(row.execution_id, self._state.clock.monotonic())
        owned.batches = len(snapshot.batches)
        owned.bytes = row.journal_bytes
        owned.parent = row.parent
        owned.depth = row.depth
        owned.priority = row.priority
        owned.run = row.run
        elsewhere = self._state.elsewhere.get(row.execution_id, {})
        timed_out = self._state.timed_out.get(row.execution_id, ())
        load = m.Load(
            row.execution_id,
            owned.epoch,
            row.workflow_id,
            row.workflow_version,
            row.run,
            row.timeout_ms,
            row.next_seq,
            snapshot.inputs,
            snapshot.batches,
            inbox,
            [
                m.RunningAttempt(position, attempt)
                for (position, attempt), where in elsewhere.items()
                if where is not worker
            ],
            [m.RunningAttempt(position, attempt) for position, attempt in timed_out],
            logged=logged,
            inbox_seen=row.inbox_read,
            defined=defined,
        )
        self._ownership.own(owned, load)


def _pin(snapshot: Snapshot) -> Pin:
    row = snapshot.row
    begun = row.started_at if row.next_seq else None
    return Pin(row.workflow_id, row.workflow_version, row.digest, begun)


def _unserved(snapshot: Snapshot) -> failures.Failure:
    row = snapshot.row
    return failures.unserved(
        f"version {row.workflow_version!r} of workflow {row.workflow_id!r} is served by no worker: "
        "serve it and resume the execution"
    )
