"""Outcomes that were handed back for the inbox, remembered for a while.

An execution that is loaded here again may be loaded from before they reached its inbox; they are
delivered from here then, and their attempts do not run a second time. What is forgotten, since
there is a bound, costs such a second run at worst.
"""

from collections import OrderedDict

from perdure.machine import events as e
from perdure.worker.outcomes import Ended

_MOST_BYTES = 32 * 1024 * 1024
_OVERHEAD_BYTES = 1_000


class Returned:
    """The newest outcomes that were handed back, by execution."""

    def __init__(self) -> None:
        self._by_execution: OrderedDict[str, list[Ended]] = OrderedDict()
        self._bytes = 0

    def keep(self, execution_id: str, outcomes: list[Ended]) -> None:
        """Remember outcomes of an execution; the oldest ones go beyond the bound."""
        self._by_execution.setdefault(execution_id, []).extend(outcomes)
        self._by_execution.move_to_end(execution_id)
        self._bytes += sum(map(_size, outcomes))
        while self._bytes > _MOST_BYTES:
            _, oldest = self._by_execution.popitem(last=False)
            self._bytes -= sum(map(_size, oldest))

    def take(self, execution_id: str) -> list[Ended]:
        """What is remembered of an execution; it is not any more."""
        outcomes = self._by_execution.pop(execution_id, [])
        self._bytes -= sum(map(_size, outcomes))
        return outcomes


def _size(ended: Ended) -> int:
    event = ended.event
    return _OVERHEAD_BYTES + (
        len(memoryview(event.output)) if isinstance(event, e.TaskCompleted) else 0
    )
