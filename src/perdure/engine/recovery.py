"""Finds, at a start, the executions that were at work when the last server ended.

Those that only wait are not touched: their timers, events and children will wake them.
"""

from perdure.engine.admission import Admission
from perdure.engine.state import State

_PAGE = 1_000


class Recovery:
    """Has what was at work loaded again."""

    def __init__(self, state: State, admission: Admission) -> None:
        self._state = state
        self._admission = admission

    async def run(self) -> None:
        """Make everything ready that was at work; returns when all of it is queued."""
        state = self._state
        self._admission.pending = await state.read(
            state.journal.pending_count, state.limits.max_pending
        )
        after: str | None = None
        while True:
            found = await state.read(state.journal.active, after, _PAGE)
            for execution_id in found:
                state.tell(execution_id, "recovered after a restart of the server")
                self._admission.ready(execution_id)
            if len(found) < _PAGE:
                break
            after = found[-1]
        self._admission.kick()
