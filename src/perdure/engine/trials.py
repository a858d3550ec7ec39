"""Tries the code as it is now, with one worker, before it serves.

What is served goes on being served until that worker has loaded it too: a slip in an edit, or code
that hangs or dies when it is imported, takes nothing away.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from perdure.engine.generations import Generations
from perdure.engine.handle import Handle
from perdure.engine.state import State
from perdure.link.messages import ImportProblem, Serving

Workflow = tuple[str, str]
"""Id and version."""


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a reload. `problems` is all that could not be loaded.

    Where it is not `taken`, something could not be loaded that is served now, and goes on being
    served. Else there are the workflows that are `new`, that are `changed`, and that are `gone`.
    """

    taken: bool
    problems: Sequence[ImportProblem] = ()
    new: Sequence[Workflow] = ()
    changed: Sequence[Workflow] = ()
    gone: Sequence[Workflow] = ()


class Trials:
    """One trial at a time."""

    def __init__(self, state: State, generations: Generations) -> None:
        self._state = state
        self._generations = generations
        self._handle: Handle | None = None
        self._verdict: asyncio.Future[Reloaded] | None = None

    async def run(self, handle: Handle) -> Reloaded:
        """Wait for what becomes of a worker that tries. Cancelled, it gives the trial up."""
        assert self._handle is None
        self._handle = handle
        verdict: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._verdict = verdict
        try:
            return await verdict
        finally:
            self._handle = self._verdict = None
            if verdict.cancelled():
                _dismiss(handle)

    def concern(self, handle: Handle) -> bool:
        """Whether this worker tries, and nothing has come of it yet."""
        verdict = self._verdict
        return handle is self._handle and verdict is not None and not verdict.done()

    def judge(self, handle: Handle, serving: Serving) -> bool:
        """It says what it could load: whether its generation serves from now on."""
        catalog = self._state.catalog
        problems = catalog.new_problems(serving.workflows, serving.problems)
        if problems:
            _dismiss(handle)
            told = [*serving.problems, *(each for each in problems if each not in serving.problems)]
            self._tell(Reloaded(taken=False, problems=told))
            return False
        before = {(x.workflow_id, x.version): x.digest for x in catalog.all_announced()}
        after = handle.served
        self._generations.promote(handle.generation, self._state.clock.now_ms())
        catalog.replace(handle.number, serving.workflows, serving.problems)
        self._tell(
            Reloaded(
                taken=True,
                problems=serving.problems,
                new=[key for key in after if key not in before],
                changed=[key for key in after if before.get(key, after[key]) != after[key]],
                gone=[key for key in before if key not in after],
            )
        )
        return True

    def died(self, handle: Handle, reason: str) -> None:
        """A worker is gone; if it tried, it has loaded nothing."""
        if self.concern(handle):
            detail = f"the worker died while it loaded the code ({reason})"
            self._tell(Reloaded(taken=False, problems=[ImportProblem("", detail)]))

    def _tell(self, reloaded: Reloaded) -> None:
        assert self._verdict is not None
        self._verdict.set_result(reloaded)


def _dismiss(handle: Handle) -> None:
    """It ends, and nobody takes that for a death. One that is not launched yet ends then."""
    handle.draining = True
    if handle.launched:
        handle.kill()
