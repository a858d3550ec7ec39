"""Retires workflows: callers start none of them any more; what runs, and its children, go on."""

from perdure.engine.refusals import storage_failed
from perdure.engine.state import State
from perdure.engine.workers import Workers
from perdure.ports.journal import Retire, Retirement
from perdure.ports.runtime import RefusedError


class Retiring:
    """Carries retirements out."""

    def __init__(self, state: State, workers: Workers) -> None:
        self._state = state
        self._workers = workers

    async def retire(self, workflow_id: str) -> None:
        """Retire every version that is served now, and all lower ones; repeated, nothing more."""
        state = self._state
        self._workers.require_first()
        highest = state.catalog.highest(workflow_id)
        if highest is None and state.catalog.is_retired(workflow_id):
            return
        if highest is None:
            raise RefusedError("unknown_workflow", f"no workflow {workflow_id!r} is served")
        if highest.retired_at is not None:
            return
        retirement = Retirement(workflow_id, highest.served.version, state.clock.now_ms())
        outcome = await state.submit(Retire(retirement))
        if not outcome.done:
            raise storage_failed(outcome.detail)
        state.catalog.retire([retirement])
