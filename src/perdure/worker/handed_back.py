"""Which attempts had their outcomes handed back, by execution, until it is loaded here again.

A load that was under way as an outcome was handed back does not have it: the machine must neither
begin nor answer that attempt, for its outcome comes through the inbox (docs/journal.md, section 7).
What is forgotten, since there is a bound, costs a second run at worst.
"""

from collections import OrderedDict
from collections.abc import Iterable

from perdure.link.messages import RunningAttempt

MOST = 10_000


class HandedBack:
    """The attempts that were handed back last."""

    def __init__(self) -> None:
        self._by_execution: OrderedDict[str, list[tuple[int, RunningAttempt]]] = OrderedDict()
        self._count = 0

    def note(self, execution_id: str, generation: int, attempts: Iterable[RunningAttempt]) -> None:
        """Attempts of a generation were handed back; the oldest are forgotten beyond the bound."""
        noted = self._by_execution.setdefault(execution_id, [])
        self._by_execution.move_to_end(execution_id)
        self._count -= len(noted)
        noted += ((generation, attempt) for attempt in attempts)
        self._count += len(noted)
        while self._count > MOST:
            _, oldest = self._by_execution.popitem(last=False)
            self._count -= len(oldest)

    def take(self, execution_id: str, generation: int) -> list[RunningAttempt]:
        """Those of an execution's generation; from now on none of it are known."""
        noted = self._by_execution.pop(execution_id, [])
        self._count -= len(noted)
        return [attempt for of, attempt in noted if of == generation]
