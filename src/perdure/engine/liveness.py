"""Whether each worker still answers, and what is done about one that does not (promise 7).

A worker that hangs for STALL_S gets nothing new, and what it owns moves to another, its attempts
staying where they are; only an execution whose own step blocks it stays, so that it blocks no
other. It is killed after KILL_S, or as soon as an attempt in it is past its timeout, or a cancel
has waited for half of the grace. A workflow that blocks and is being cancelled ends then, without
its cleanup: a replay would block again.
"""

import logging
from collections.abc import Awaitable, Callable

from perdure.engine.handle import Handle, Mark
from perdure.engine.ownership import Ownership
from perdure.engine.state import Owned, State
from perdure.engine.suspects import Suspects
from perdure.engine.views import Story
from perdure.link import messages as m
from perdure.ports.journal import Nothing

log = logging.getLogger(__name__)

TICK_S = 0.25
STALL_S = 2.0
KILL_S = 30.0
START_S = 120.0


class Liveness:
    """Pings workers, takes executions from those that stall, and kills those that hang."""

    def __init__(self, state: State, ownership: Ownership, suspects: Suspects) -> None:
        self._state = state
        self._ownership = ownership
        self._suspects = suspects
        self.on_stalled: Callable[[], None] = lambda: None
        """Called when a worker has stopped to answer: another is needed."""
        self.on_unstoppable: Callable[[str], Awaitable[None]]
        """Called with an execution that is being cancelled, and whose workflow code blocks."""

    def check(self, handle: Handle, now_s: float) -> None:
        """Look after a worker; to be called every TICK_S."""
        if not handle.launched or handle.killed:
            return
        if not handle.serving:
            if now_s - handle.started_s > START_S:
                log.error("worker %d did not start within %d s", handle.number, START_S)
                handle.kill()
            return
        if handle.asked_s is None:
            handle.asked_s = now_s
            handle.channel.send(m.Ping(handle.number))
            return
        handle.late_ticks += 1
        late_s = now_s - handle.asked_s
        # Ticks are counted too: if this process itself stood still, the answer may be waiting.
        if late_s < STALL_S or handle.late_ticks < STALL_S / TICK_S / 2:
            return
        if not handle.stalled:
            self._stall(handle)
        marks = handle.process.marks()
        overdue = [mark for mark in marks if 0 < mark.deadline < now_s - TICK_S]
        if overdue or late_s > KILL_S or self._cancel_waits(handle, now_s):
            log.error("worker %d has not answered for %.1f s: killing it", handle.number, late_s)
            for mark in marks:
                self._tell_of_kill(mark, overdue=mark in overdue, alone=len(marks) == 1)
            handle.kill()

    def answered(self, handle: Handle) -> bool:
        """A worker has answered: whether it takes executions again that it did not."""
        handle.asked_s = None
        handle.late_ticks = 0
        if not handle.stalled:
            return False
        handle.stalled = False
        log.warning("worker %d answers again", handle.number)
        return True

    # -- stalls --------------------------------------------------------------------------------

    def _stall(self, handle: Handle) -> None:
        handle.stalled = True
        marks = handle.process.marks()
        what = ", ".join(f"{mark.execution_id}{mark.position}" for mark in marks) or "unknown"
        log.warning("worker %d does not answer; on its CPU: %s", handle.number, what)
        for mark in marks:
            self._state.tell(
                mark.execution_id,
                f"{mark.position or 'the workflow'} blocks its worker: it neither returns nor "
                "awaits; blocking code belongs into a plain function, which runs in a thread",
                "WARNING",
            )
        self.on_stalled()
        blocking = {mark.execution_id for mark in marks if not mark.position}
        for owned in tuple(handle.owned.values()):
            if owned.execution_id not in blocking:
                self._state.in_background(self._move(handle, owned))

    async def _move(self, handle: Handle, owned: Owned) -> None:
        """Take an execution from a worker that hangs; its attempts stay there."""
        state = self._state
        self._ownership.halt(owned)
        await state.submit(Nothing())
        row = await state.read_surely(state.journal.row, owned.execution_id)
        if row is None or state.owned.get(owned.execution_id) is not owned or handle.gone:
            return
        count = row.next_seq - row.journal_start
        bodies = await state.read_surely(
            state.journal.batches, owned.execution_id, row.journal_start, count
        )
        attempts = Story(row.journal_start, bodies).open_attempts()
        if state.owned.get(owned.execution_id) is not owned or handle.gone:
            return
        if attempts:
            elsewhere = state.elsewhere.setdefault(owned.execution_id, {})
            for attempt in attempts:
                elsewhere.setdefault(attempt, handle)
        self._ownership.disown(owned)
        self._ownership.on_ready(owned.execution_id)

    # -- kills ---------------------------------------------------------------------------------

    def _cancel_waits(self, handle: Handle, now_s: float) -> bool:
        patience_s = self._state.limits.cancel_grace_ms / 2000
        concerned = [
            *handle.owned,
            *(
                execution_id
                for execution_id, attempts in self._state.elsewhere.items()
                if handle in attempts.values()
            ),
        ]
        for execution_id in concerned:
            asked_s = self._state.cancels.get(execution_id)
            if asked_s is not None and now_s - asked_s > patience_s:
                return True
        return False

    def _tell_of_kill(self, mark: Mark, *, overdue: bool, alone: bool) -> None:
        """A worker is killed that cannot tell any more what becomes of what it ran."""
        state, execution_id = self._state, mark.execution_id
        if execution_id not in state.owned and execution_id not in state.elsewhere:
            return
        cancelled = execution_id in state.cancels
        if overdue:
            attempt = (mark.position, mark.attempt)
            state.timed_out.setdefault(execution_id, set()).add(attempt)
        if cancelled:
            what = "was cancelled; it did not stop and was killed with its worker"
        elif overdue:
            what = "took longer than its timeout; it did not stop and was killed with its worker"
        elif alone:
            what = "did not let go of its worker, and was killed with it"
        else:
            what = "was killed with its worker, which did not answer"
        text = f"{mark.position or 'the workflow'} {what}"
        state.tell(execution_id, text, "WARNING")
        if cancelled and alone and not mark.position:
            self._suspects.condemn(execution_id)
            state.in_background(self._end_unstoppable(execution_id))

    async def _end_unstoppable(self, execution_id: str) -> None:
        await self.on_unstoppable(execution_id)
        self._suspects.forget(execution_id)
        self._ownership.on_ready(execution_id)
