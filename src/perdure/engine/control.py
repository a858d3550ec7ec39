"""Cancel, pause, resume, and events from outside. What is acknowledged is on disk."""

import asyncio

import msgspec

from perdure.engine.admission import Admission
from perdure.engine.families import told_to_parent
from perdure.engine.ownership import Ownership
from perdure.engine.refusals import storage_failed, unknown_execution
from perdure.engine.scheduled import Scheduled
from perdure.engine.state import Owned, State
from perdure.engine.timers import Timers
from perdure.machine import events as e
from perdure.machine.batch import encode_event
from perdure.model import failure as failures
from perdure.model.status import Status
from perdure.ports.journal import Cancel, End, Outcome, Pause, PutInbox, Resume, Row
from perdure.ports.runtime import RefusedError

_LOOKS = 3
"""How often an execution is looked at again whose owner changes meanwhile."""


class Control:
    """Carries out what operators ask of executions."""

    def __init__(
        self,
        state: State,
        ownership: Ownership,
        admission: Admission,
        timers: Timers,
        scheduled: Scheduled,
    ) -> None:
        self._state = state
        self._ownership = ownership
        self._admission = admission
        self._timers = timers
        self._scheduled = scheduled

    async def cancel(self, execution_id: str, reason: str = "") -> None:
        """Ask for an execution to be cancelled; waits a moment for it to stop."""
        state = self._state
        row = await self._settled(execution_id)
        if row.status.ended:
            raise _already_ended(row)
        now_ms = state.clock.now_ms()
        if row.status is Status.PAUSED and row.error is not None:
            await self._cancel_held(row, now_ms)
            return
        ended = state.end_of(execution_id)
        try:
            event = encode_event(e.CancelRequested(time=now_ms, reason=reason))
            asked_before = row.cancel_requested_at is not None
            ticket = 0 if asked_before else state.tell(execution_id, "cancel requested")
            ended_at_once = End(status=Status.CANCELLED, at=now_ms)
            then = told_to_parent(execution_id, row.parent, row.run, ended_at_once)
            outcome = await state.submit(
                Cancel(execution_id=execution_id, at=now_ms, event=event, then=then),
                after_logs=ticket,
            )
            _require(outcome, execution_id)
            owned = state.owned.get(execution_id)
            if owned is not None:
                put = max((put.inbox_seq for put in outcome.put), default=0)
                owned.control_seq = max(owned.control_seq, put)
            if row.status is Status.PAUSED:
                state.changed(execution_id)
            if outcome.status is Status.RUNNING:
                state.cancels.setdefault(execution_id, state.clock.monotonic())
            elif outcome.status is Status.CANCELLED:
                state.tell(execution_id, "cancelled before it started")
                state.ended(execution_id)
            self._ownership.put(outcome.put)
            self._ownership.stop_attempts(execution_id)
            self._timers.changed()
            self._admission.kick()
            if outcome.status is Status.RUNNING:
                await asyncio.wait([ended], timeout=state.limits.cancel_reply_s)
        finally:
            state.forget(execution_id, ended)

    async def _cancel_held(self, row: Row, now_ms: int) -> None:
        """A held execution cannot run its cleanup: it ends without its program."""
        end = End(status=Status.CANCELLED, at=now_ms)
        outcome = await self._ownership.end_without_program(
            row.execution_id, end, row.parent, row.run
        )
        _require(outcome, row.execution_id)

    async def cancel_child(self, parent_id: str, position: str) -> None:
        """Cancel the child that a parent awaits at `position`."""
        state = self._state
        child_id = await state.read_surely(state.journal.child, parent_id, position)
        while child_id is not None and not state.stopping:
            try:
                await self.cancel(child_id, reason=f"its parent {parent_id} cancels it")
                return
            except RefusedError as refused:
                if refused.code != "storage_failed":
                    return
                await asyncio.sleep(state.limits.storage_retry_s)

    async def pause(self, execution_id: str) -> None:
        """Pause an execution: at once, whatever its tasks do, unless it is being cancelled."""
        state = self._state
        row = await self._settled(execution_id)
        if row.status.ended:
            raise _already_ended(row)
        if row.status is Status.PAUSED:
            raise RefusedError("already_paused", f"{execution_id} is paused already")
        if row.cancel_requested_at is not None:
            raise RefusedError("conflict", f"{execution_id} is being cancelled: it is not paused")
        ticket = state.tell(execution_id, "paused")
        paused = state.submit(
            Pause(execution_id=execution_id, at=state.clock.now_ms()), after_logs=ticket
        )
        if (owned := state.owned.get(execution_id)) is not None:
            self._ownership.halt(owned)
        _require(await paused, execution_id)
        state.changed(execution_id)

    async def resume(self, execution_id: str) -> None:
        """Resume a paused or held execution."""
        state = self._state
        row = await self._existing(execution_id)
        if row.status.ended:
            raise _already_ended(row)
        if row.status is not Status.PAUSED:
            raise RefusedError("not_paused", f"{execution_id} is {row.status}, not paused")
        ticket = state.tell(execution_id, "resumed")
        outcome = await state.submit(
            Resume(execution_id=execution_id, at=state.clock.now_ms()), after_logs=ticket
        )
        _require(outcome, execution_id)
        state.changed(execution_id)
        self._timers.changed()
        if row.start_at is not None:
            self._scheduled.set(row.start_at)
        elif outcome.status is Status.PENDING:
            self._admission.queued(1)
        else:
            self._admission.ready(execution_id)

    async def send_event(
        self, execution_id: str, name: str, data: bytes, event_id: str | None
    ) -> bool:
        """Put an event into the inbox; False if its id came before."""
        state = self._state
        event = e.EventReceived(
            time=state.clock.now_ms(), name=name, data=msgspec.Raw(data), event_id=event_id
        )
        change = PutInbox(
            execution_id=execution_id, event=encode_event(event), event_id=event_id, limited=True
        )
        outcome = await state.submit(change)
        if outcome.reason == "duplicate":
            return False
        _require(outcome, execution_id)
        if outcome.status is Status.RUNNING:
            self._ownership.put(outcome.put)
        return True

    async def fail(self, execution_id: str, failure: failures.Failure) -> None:
        """End an execution as failed without its program, wherever it stands."""
        await self._end(execution_id, Status.FAILED, failure)

    async def cut_off(self, execution_id: str) -> None:
        """End an execution as cancelled without its program, which did not stop."""
        await self._end(execution_id, Status.CANCELLED, None)

    async def _end(
        self, execution_id: str, status: Status, failure: failures.Failure | None
    ) -> None:
        state = self._state
        while not state.stopping:
            if (owned := state.owned.get(execution_id)) is not None:
                self._ownership.halt(owned)
            row = await state.read_surely(state.journal.row, execution_id)
            if row is None or row.status.ended:
                return
            end = End(status=status, at=state.clock.now_ms(), error=failure)
            outcome = await self._ownership.end_without_program(
                execution_id, end, row.parent, row.run
            )
            if outcome.reason != "storage":
                return
            await asyncio.sleep(state.limits.storage_retry_s)

    async def _settled(self, execution_id: str) -> Row:
        """The row of an execution whose end is not being written, or is on disk.

        What is told of a change goes into the log before the change: of one that an end has
        overtaken nothing is to be told.
        """
        state = self._state
        for _ in range(_LOOKS):
            owned = state.owned.get(execution_id)
            if _is_ending(owned):
                ended = state.end_of(execution_id)
                try:
                    await asyncio.wait([ended], timeout=state.limits.cancel_reply_s)
                finally:
                    state.forget(execution_id, ended)
            row = await self._existing(execution_id)
            if row.status.ended:
                return row
            now = state.owned.get(execution_id)
            if now is owned and not _is_ending(now):
                return row
        return row

    async def _existing(self, execution_id: str) -> Row:
        row = await self._state.read(self._state.journal.row, execution_id)
        if row is None:
            raise unknown_execution(execution_id)
        return row


def _is_ending(owned: Owned | None) -> bool:
    return owned is not None and owned.ended_at > 0 and not owned.halted


def _already_ended(row: Row) -> RefusedError:
    return RefusedError("already_ended", f"{row.execution_id} is {row.status} already")


def _require(outcome: Outcome, execution_id: str) -> None:
    """Raise what a refused change means to the caller."""
    if outcome.done:
        return
    if outcome.reason == "storage":
        raise storage_failed(outcome.detail)
    if outcome.reason == "unknown":
        raise unknown_execution(execution_id)
    if outcome.reason == "full":
        raise RefusedError("inbox_full", f"the inbox of {execution_id} is full", retry_after_s=5)
    if outcome.reason == "ended":
        raise RefusedError("already_ended", f"{execution_id} has ended already")
    raise RefusedError("conflict", f"{execution_id} is {outcome.status}: it cannot be done now")
