"""Has workers validate documents: nothing of a document is looked at in the server's process.

Invariants:
- A worker validates one document at a time, and few wait for their turn; beyond that they are
  refused, as they are when it takes too long.
- Each request ends in one way: with the answer, or refused. Where its worker dies or hangs, it is
  refused for now; a document is never blamed for what another has done.
"""

import asyncio

from perdure.engine.handle import Handle
from perdure.engine.state import State
from perdure.engine.workers import Workers
from perdure.link import messages as m
from perdure.ports.runtime import RefusedError

WAITING = 256
"""Documents that are being validated, or wait for it."""
PATIENCE_S = 30.0


class Validations:
    """Validates documents in workers."""

    def __init__(self, state: State, workers: Workers) -> None:
        self._state = state
        self._workers = workers
        self._turns = asyncio.Semaphore(state.limits.workers)
        self._waiting = 0
        self._number = 0
        self._under_way: dict[int, tuple[Handle, asyncio.Future[m.Validated]]] = {}
        workers.on_validated = self._validated
        workers.on_gone = self._gone

    async def run(self, source: bytes) -> m.Validated:
        """What is wrong with a document, or how it is announced. Raises RefusedError."""
        if self._waiting >= WAITING:
            raise RefusedError(
                "overloaded", f"{WAITING} documents wait to be validated", retry_after_s=1
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S), self._turns:
                answer = await self._ask(source)
        except TimeoutError:
            raise RefusedError(
                "overloaded",
                f"the document was not validated within {PATIENCE_S:.0f} s",
                retry_after_s=5,
            ) from None
        finally:
            self._waiting -= 1
        if answer.failed:
            raise RefusedError(
                "invalid_document", f"the document could not be validated: {answer.failed}"
            )
        return answer

    async def _ask(self, source: bytes) -> m.Validated:
        state = self._state
        if state.stopping:
            raise RefusedError("shutting_down", "the server is shutting down", retry_after_s=5)
        handle = self._idle()
        if handle is None:
            raise RefusedError("not_ready", "no worker can validate it now", retry_after_s=1)
        self._number += 1
        number = self._number
        answered: asyncio.Future[m.Validated] = asyncio.get_running_loop().create_future()
        self._under_way[number] = (handle, answered)
        try:
            handle.channel.send(m.Validate(number, source))
            return await answered
        finally:
            del self._under_way[number]

    def _idle(self) -> Handle | None:
        """The worker that has the fewest documents to validate."""
        asked = [handle for handle, _ in self._under_way.values()]
        return min(self._workers.serving_now(), key=asked.count, default=None)

    def _validated(self, handle: Handle, message: m.Validated) -> None:
        known = self._under_way.get(message.number)
        if known is not None and known[0] is handle and not known[1].done():
            known[1].set_result(message)

    def _gone(self, handle: Handle) -> None:
        refusal = RefusedError(
            "not_ready", "the worker that validated the document has ended", retry_after_s=1
        )
        for where, answered in tuple(self._under_way.values()):
            if where is handle and not answered.done():
                answered.set_exception(refusal)
