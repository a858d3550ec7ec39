"""Outcomes of attempts that workers hand back, on their way into inboxes.

A worker hands back what it does not know to be recorded: what ended while no machine of its
execution was there, and what was in appends under way when it let go of the machine. Of the latter
the engine knows what became of them.

Invariants:
- An outcome that is recorded is dropped, lines and all. Any other goes into the inbox, behind its
  lines; these are written again only if their write has failed.
- Putting goes on until the outcome is on disk, or refused: its execution, or the generation that
  asked for it, has ended. Until then the execution is not loaded, so a load finds it in the inbox.
On failure of the store an outcome is put again each `storage_retry_s`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

import msgspec

from perdure.engine.state import Owned, State, Worker
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine.batch import decode_batch, decode_event
from perdure.model.exceptions import DisagreementError
from perdure.ports.journal import Nothing, Outcome, Put, PutInbox


class _Return:
    """An outcome for an inbox, with its lines, and their ticket if they were written."""

    __slots__ = ("event", "execution_id", "generation", "lines", "ticket")

    def __init__(self, outcomes: m.Outcomes, outcome: m.Unrecorded, ticket: int) -> None:
        self.execution_id = outcomes.execution_id
        self.generation = outcomes.generation
        self.event = outcome.event
        self.lines = outcome.logs
        self.ticket = ticket


class Returns:
    """Puts into inboxes what workers hand back. `put` takes the rows that are there now."""

    def __init__(self, state: State, put: Callable[[Sequence[Put]], None]) -> None:
        self._state = state
        self._put = put
        self._under_way: dict[str, int] = {}
        """How many outcomes of an execution are neither in its inbox nor refused."""
        self._awaited: dict[str, list[Callable[[], None]]] = {}
        self._loads: set[str] = set()
        """Executions that would have been loaded."""
        self.on_ready: Callable[[str], None] = lambda execution_id: None
        """Called with an execution that should be loaded, and may be now."""

    def hold_up(self, execution_id: str) -> bool:
        """Whether an execution is not to be loaded yet; `on_ready` tells when it is."""
        if execution_id not in self._under_way:
            return False
        self._loads.add(execution_id)
        return True

    def once_settled(self, execution_id: str, call: Callable[[], None]) -> None:
        """Call this when everything that was handed back of an execution has reached its inbox."""
        if execution_id in self._under_way:
            self._awaited.setdefault(execution_id, []).append(call)
        else:
            call()

    def take(self, worker: Worker, outcomes: m.Outcomes) -> None:
        """A worker hands outcomes back.

        Those that were never sent are submitted at once: what is submitted after this call finds
        them in the inbox. So it does with the others, unless an append with them is under way.
        """
        state, execution_id = self._state, outcomes.execution_id
        state.unfollow(execution_id)
        count = self._under_way.get(execution_id, 0)
        self._under_way[execution_id] = count + len(outcomes.outcomes)
        owned = state.owned.get(execution_id)
        if all(outcome.seq is None for outcome in outcomes.outcomes):
            self._decide(outcomes, {}, ())
        elif owned is None or owned.worker is not worker or owned.epoch != outcomes.epoch:
            state.in_background(self._look_up(outcomes))
        elif owned.unwritten:
            # What is submitted before it is told before it.
            state.changes.submit(Nothing(), lambda _: self._decide_by(outcomes, owned))
        else:
            self._decide_by(outcomes, owned)

    def _decide_by(self, outcomes: m.Outcomes, owned: Owned) -> None:
        """Of appends that have come, all are told: those below `next_seq` were submitted."""
        self._decide(outcomes, owned.refused, range(owned.next_seq))

    async def _look_up(self, outcomes: m.Outcomes) -> None:
        """Of an ownership that is over the journal knows what was recorded."""
        journal = self._state.journal
        recorded = []
        for outcome in outcomes.outcomes:
            if outcome.seq is not None:
                bodies = await self._state.read_surely(
                    journal.batches, outcomes.execution_id, outcome.seq, 1
                )
                if any(_has(body, outcome.event) for body in bodies):
                    recorded.append(outcome.seq)
        self._decide(outcomes, {}, recorded)

    def _decide(
        self, outcomes: m.Outcomes, refused: dict[int, int], recorded: Collection[int]
    ) -> None:
        for outcome in outcomes.outcomes:
            ticket = None if outcome.seq is None else refused.get(outcome.seq)
            if ticket is None and outcome.seq in recorded:
                self._settled(outcomes.execution_id)
            else:
                self._submit(_Return(outcomes, outcome, ticket or 0))

    def _submit(self, back: _Return) -> None:
        state = self._state
        if not (back.ticket and back.lines) or state.logs.failed(back.ticket):
            back.ticket = state.lines.write(back.execution_id, back.lines)
        change = PutInbox(
            execution_id=back.execution_id, event=back.event, generation=back.generation
        )
        state.changes.submit(change, partial(self._submitted, back), after_logs=back.ticket)

    def _submitted(self, back: _Return, outcome: Outcome) -> None:
        if outcome.reason != "storage":
            self._put(outcome.put)
            self._settled(back.execution_id)
        elif not self._state.stopping:
            loop = asyncio.get_running_loop()
            loop.call_later(self._state.limits.storage_retry_s, self._submit, back)

    def _settled(self, execution_id: str) -> None:
        """An outcome is recorded, in the inbox, or refused."""
        self._under_way[execution_id] -= 1
        if self._under_way[execution_id]:
            return
        del self._under_way[execution_id]
        for call in self._awaited.pop(execution_id, ()):
            call()
        if execution_id in self._loads:
            self._loads.discard(execution_id)
            self.on_ready(execution_id)


def _has(body: bytes, outcome: bytes) -> bool:
    """Whether a batch has an outcome as its event: its time may have been moved."""
    try:
        recorded, handed_back = decode_batch(body).event, decode_event(outcome)
    except (DisagreementError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    if not isinstance(recorded, e.TASK_OUTCOMES) or not isinstance(handed_back, e.TASK_OUTCOMES):
        return False
    return (recorded.position, recorded.attempt) == (handed_back.position, handed_back.attempt)
