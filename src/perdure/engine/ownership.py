"""Answers the workers: one owner per execution, under an epoch (docs/journal.md, section 7).

Invariants:
- `State.owned` has an execution from the moment that its `Load` is sent until its end is on disk,
  it is released, or its worker is gone. There is at most one owner.
- An append is submitted only if it comes from the owner, under its epoch, in sequence. Once one is
  refused, for whatever reason, none of that ownership is submitted any more.
- A worker hears of a commit only after it is on disk.
On failure of the store the owner's machine is discarded and loaded again after `storage_retry_s`;
what effects have brought about meanwhile is kept, by the worker's handing it back (`returns`).
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from perdure.engine.families import Families, told_to_parent
from perdure.engine.returns import Returns
from perdure.engine.state import Owned, State, Worker
from perdure.link import messages as m
from perdure.machine.batch import JOURNAL_LIMIT_BATCHES, JOURNAL_LIMIT_BYTES
from perdure.model import failure as failures
from perdure.model.execution import Level
from perdure.model.failure import Failure
from perdure.model.status import Status
from perdure.ports.journal import (
    AppendBatch,
    Change,
    End,
    EndExecution,
    InboxEntry,
    Nothing,
    Outcome,
    Parent,
    Pause,
    Put,
    ReadInbox,
)


class Ownership:
    """Takes what workers say of the executions that they own."""

    def __init__(self, state: State, new_id: Callable[[], str]) -> None:
        self._state = state
        self._families = Families(state, new_id)
        self.on_ready: Callable[[str], None] = lambda execution_id: None
        """Called with an execution that should be loaded."""
        self.on_slot: Callable[[], None] = lambda: None
        """Called when a slot of the running limit is free."""
        self.on_children: Callable[[int], None] = lambda count: None
        """Called with the number of children that are now pending."""
        self.on_timer: Callable[[int], None] = lambda due_ms: None
        """Called with the moment of a timer that is now on disk."""
        self.on_cancel_child: Callable[[str, str], None] = lambda parent, position: None
        """Called with a parent and the position of a child to cancel."""
        self.on_progress: Callable[[Owned], None] = lambda owned: None
        """Called when something of an execution was newly recorded."""
        self.on_ended: Callable[[str], None] = lambda execution_id: None
        """Called with an execution that has ended without its program."""
        self.arriving: dict[str, list[InboxEntry]] = {}
        """Rows put while an execution is being loaded."""
        self.returns = Returns(state, self.put)

    # -- giving away and taking back -----------------------------------------------------------

    def own(self, owned: Owned, load: m.Load) -> None:
        """Give an execution to a worker."""
        self._state.owned[owned.execution_id] = owned
        owned.worker.owned[owned.execution_id] = owned
        self._state.working += 1
        owned.worker.channel.send(load)

    def disown(self, owned: Owned) -> None:
        """The worker owns it no longer."""
        state = self._state
        if state.owned.get(owned.execution_id) is owned:
            del state.owned[owned.execution_id]
        owned.worker.owned.pop(owned.execution_id, None)
        owned.halted = True
        self._free_slot(owned)

    def halt(self, owned: Owned) -> None:
        """Have the worker discard the machine; it answers with `Released`."""
        if not owned.halted:
            owned.halted = True
            owned.worker.channel.send(m.Halt(owned.execution_id, owned.epoch))

    def _free_slot(self, owned: Owned) -> None:
        if owned.working:
            owned.working = False
            self._state.working -= 1
            self.on_slot()

    def _take_slot(self, owned: Owned) -> None:
        if not owned.working:
            owned.working = True
            self._state.working += 1

    # -- the inbox -----------------------------------------------------------------------------

    def put(self, rows: Sequence[Put]) -> None:
        """Rows are now in inboxes: hand them to the owners, or have their executions loaded."""
        for row in rows:
            entry = InboxEntry(row.inbox_seq, row.event)
            arriving = self.arriving.get(row.execution_id)
            owned = self._state.owned.get(row.execution_id)
            if arriving is not None:
                arriving.append(entry)
            elif owned is None:
                self.on_ready(row.execution_id)
            elif not owned.halted and row.inbox_seq > owned.inbox_sent:
                owned.inbox_sent = row.inbox_seq
                self._take_slot(owned)
                owned.worker.channel.send(m.Deliver(row.execution_id, owned.epoch, [entry]))

    # -- appends -------------------------------------------------------------------------------

    def append(self, worker: Worker, append: m.Append) -> None:
        """An owner, or one that was, wants a batch recorded."""
        owned = self._state.owned.get(append.execution_id)
        if owned is None or owned.worker is not worker or owned.epoch != append.epoch:
            worker.channel.send(m.Refused(append.execution_id, append.epoch))
            return
        if owned.halted:
            return
        if append.seq != owned.next_seq or (
            append.guarded and owned.control_seq > append.inbox_known
        ):
            self._refuse(owned)
            return
        if append.end is None and self._is_full(owned, append):
            return
        owned.next_seq += 1
        owned.batches += 1
        owned.bytes += len(append.body)
        owned.unwritten += 1
        ticket = self._state.lines.write(append.execution_id, append.logs)
        if append.logs and owned.followed is not None and not owned.followed.logged(append.logs):
            owned.followed = None
        end = None
        if append.end is not None:
            end = self._end(append.end)
            owned.ended_at = end.at
        change = AppendBatch(
            execution_id=append.execution_id,
            epoch=append.epoch,
            seq=append.seq,
            inbox_seen=append.inbox_seen,
            inbox_known=append.inbox_known,
            body=append.body,
            guarded=append.guarded,
            active=append.working,
            timers_set=append.timers_set,
            timers_cleared=append.timers_cleared,
            new_inputs=append.new_inputs,
            end=end,
            then=self._families.follow(owned, append),
        )
        self._state.changes.append(
            change, partial(self._appended, owned, append, ticket), after_logs=ticket
        )

    def _appended(self, owned: Owned, append: m.Append, ticket: int, outcome: Outcome) -> None:
        owned.unwritten -= 1
        if not outcome.done:
            owned.refused[append.seq] = ticket
            if outcome.reason == "storage":
                self._storage_failed(owned, outcome.detail)
            elif not owned.halted:
                self._refuse(owned)
            return
        owned.worker.channel.send(m.Committed(append.execution_id, append.epoch, append.seq))
        if append.end is not None:
            self.disown(owned)
            self._stop_elsewhere(owned.execution_id)
            finished = None
            if owned.followed is not None and self._state.awaited(owned.execution_id):
                finished = owned.followed.ended(append.end, owned.ended_at, owned.next_seq)
            self._state.ended(owned.execution_id, finished)
        else:
            self._went_on(owned, append)
        self.on_progress(owned)
        if outcome.put:
            self.put(outcome.put)
        if append.stop_elsewhere:
            self.stop_attempts(owned.execution_id, append.stop_elsewhere)
        for position in append.children_cancelled:
            self.on_cancel_child(owned.execution_id, position)
        if append.children:
            self.on_children(len(append.children))

    def _went_on(self, owned: Owned, append: m.Append) -> None:
        """A batch is on disk that is not the end."""
        if append.new_inputs is not None:
            owned.batches = owned.bytes = 0
            # Positions come again in the next generation: what ran under them is of no account.
            self._stop_elsewhere(owned.execution_id)
        for timer in append.timers_set:
            self.on_timer(timer.due_ms)
        if not append.working and not owned.unwritten and append.inbox_seen >= owned.inbox_sent:
            self._free_slot(owned)
        elif append.working:
            self._take_slot(owned)

    def _refuse(self, owned: Owned) -> None:
        owned.halted = True
        owned.worker.channel.send(m.Refused(owned.execution_id, owned.epoch))

    def _storage_failed(self, owned: Owned, detail: str) -> None:
        owned.storage_failed = True
        if not owned.halted:
            self._refuse(owned)
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{owned.execution_id}: a write failed: {detail}"}
            )

    def _is_full(self, owned: Owned, append: m.Append) -> bool:
        if (
            owned.batches < JOURNAL_LIMIT_BATCHES
            and owned.bytes + len(append.body) <= JOURNAL_LIMIT_BYTES
        ):
            return False
        failure = failures.journal_limit(
            f"the journal holds at most {JOURNAL_LIMIT_BATCHES:,} batches or "
            f"{JOURNAL_LIMIT_BYTES // 2**20} MB: continue as new before that"
        )
        self.fail_without_program(owned, failure)
        return True

    def fail_without_program(self, owned: Owned, failure: Failure) -> None:
        """End an execution as failed, though its program did not."""
        self.halt(owned)
        ended = End(status=Status.FAILED, at=self._state.clock.now_ms(), error=failure)
        self._state.in_background(
            self.end_without_program(owned.execution_id, ended, owned.parent, owned.run)
        )

    async def end_without_program(
        self, execution_id: str, end: End, parent: Parent | None, run: int
    ) -> Outcome:
        """Record an end that no program asked for, tell the parent, and wake who waits."""
        state = self._state
        then = told_to_parent(execution_id, parent, run, end)
        level: Level = "ERROR" if end.status is Status.FAILED else "INFO"
        ticket = state.tell(execution_id, f"{end.status}: {end.error or 'no cleanup ran'}", level)
        change = EndExecution(execution_id=execution_id, end=end, then=then)
        outcome = await state.submit(change, after_logs=ticket)
        if outcome.done:
            self._stop_elsewhere(execution_id)
            self.on_ended(execution_id)
            state.ended(execution_id)
            self.put(outcome.put)
        return outcome

    # -- consequences of a batch ---------------------------------------------------------------

    def _end(self, ended: m.Ended) -> End:
        return End(status=Status(ended.status), at=self._state.clock.now_ms(), error=ended.failure)

    # -- what else workers say -----------------------------------------------------------------

    def held(self, worker: Worker, held: m.Held) -> None:
        """The program does not fit its record, or is not served: pause it, and say why."""
        owned = self._state.owned.get(held.execution_id)
        if owned is None or owned.worker is not worker or owned.epoch != held.epoch:
            return
        self._attempts_stay(worker, held.execution_id, held.running)
        self.disown(owned)
        self._state.in_background(self.hold(held.execution_id, held.failure))

    async def hold(self, execution_id: str, failure: Failure) -> None:
        """Hold an execution: paused, with the reason in its error (promise 4)."""
        state = self._state
        ticket = state.tell(execution_id, f"held: {failure}", "ERROR")
        change = Pause(execution_id=execution_id, at=state.clock.now_ms(), failure=failure)
        outcome = await state.submit(change, after_logs=ticket)
        if outcome.done:
            state.changed(execution_id)
        if outcome.reason == "storage" and not state.stopping:
            await asyncio.sleep(state.limits.storage_retry_s)
            self.on_ready(execution_id)

    def released(self, worker: Worker, released: m.Released) -> None:
        """A worker has discarded a machine; the attempts that it names go on there."""
        execution_id = released.execution_id
        owned = self._state.owned.get(execution_id)
        self._attempts_stay(worker, execution_id, released.running)
        if owned is None or owned.worker is not worker or owned.epoch != released.epoch:
            return
        unsettled = owned.halted or owned.unwritten > 0
        change: Change = Nothing()
        if not unsettled:
            change = ReadInbox(
                execution_id=execution_id,
                epoch=released.epoch,
                inbox_seen=released.inbox_seen,
                working=released.again or bool(released.running),
            )
        again = unsettled or released.again or worker.draining
        self._state.changes.submit(
            change, partial(self._took_back, owned, again, released.inbox_seen)
        )

    def _attempts_stay(
        self, worker: Worker, execution_id: str, running: Sequence[m.RunningAttempt]
    ) -> None:
        """Note which attempts go on in a worker that has no machine of their execution."""
        there = {(attempt.position, attempt.attempt) for attempt in running}
        elsewhere = self._state.elsewhere.setdefault(execution_id, {})
        lost = [key for key, w in elsewhere.items() if w is worker and key not in there]
        for key in lost:
            del elsewhere[key]
        elsewhere.update(dict.fromkeys(there, worker))
        if not elsewhere:
            del self._state.elsewhere[execution_id]
        if lost:
            self.lose_attempts(execution_id, lost)

    def _took_back(self, owned: Owned, again: bool, inbox_seen: int, outcome: Outcome) -> None:
        """After all that was submitted for the old ownership is on disk or refused.

        Rows that were sent to the worker after it had let go are unread: they are looked for now.
        """
        self.disown(owned)
        if outcome.reason == "storage" or owned.storage_failed:
            loop = asyncio.get_running_loop()
            loop.call_later(self._state.limits.storage_retry_s, self.on_ready, owned.execution_id)
        elif again or owned.inbox_sent > inbox_seen:
            self.on_ready(owned.execution_id)

    def lose_attempts(self, execution_id: str, lost: Sequence[tuple[str, int]]) -> None:
        """Attempts ended without an outcome: have the owner begin them again.

        It hears so only after every outcome that was handed back before has reached it.
        """

        def tell() -> None:
            owned = self._state.owned.get(execution_id)
            if owned is not None and not owned.halted:
                attempts = [m.RunningAttempt(*key) for key in lost]
                known = self._state.timed_out.get(execution_id, ())
                timed_out = [m.RunningAttempt(*key) for key in lost if key in known]
                self._take_slot(owned)
                message = m.AttemptsLost(execution_id, owned.epoch, attempts, timed_out)
                owned.worker.channel.send(message)

        self._state.changes.submit(
            Nothing(), lambda _: self.returns.once_settled(execution_id, tell)
        )

    def stop_attempts(self, execution_id: str, positions: Sequence[str] | None = None) -> None:
        """Stop attempts that run in workers which do not own their execution: these, or all."""
        by_worker: dict[int, tuple[Worker, list[str]]] = {}
        for (position, _), worker in self._state.elsewhere.get(execution_id, {}).items():
            if positions is None or position in positions:
                by_worker.setdefault(worker.number, (worker, []))[1].append(position)
        for worker, stop in by_worker.values():
            worker.channel.send(m.StopAttempts(execution_id, stop))

    def _stop_elsewhere(self, execution_id: str) -> None:
        if execution_id in self._state.elsewhere:
            self.stop_attempts(execution_id)
            del self._state.elsewhere[execution_id]
