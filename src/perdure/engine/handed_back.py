"""Outcomes that a worker hands back, and the log lines that have to be on disk before them.

A worker hands back what it does not know to be recorded, with what its attempts logged. Of an
append that had reached the engine these lines are in the log already, whatever became of the
append: they are not written again, unless their write has failed.
"""

from collections.abc import Iterable, Sequence

from perdure.link import messages as m
from perdure.ports.logs import Logs, NewLogRecord

Taken = tuple[int, Sequence[NewLogRecord]]
"""The ticket of a write, and its lines."""


class HandedBack:
    """Whose outcomes were handed back, with their lines; `taken` came before, with appends."""

    def __init__(self, outcomes: m.Outcomes, taken: Iterable[Taken]) -> None:
        self.execution_id = outcomes.execution_id
        self.generation = outcomes.generation
        handed = set(outcomes.logs)
        known: set[NewLogRecord] = set()
        self._writes: list[Taken] = []
        for ticket, lines in taken:
            again = [line for line in lines if line in handed]
            known.update(again)
            if again:
                self._writes.append((ticket, again))
        new = [line for line in outcomes.logs if line not in known]
        if new:
            self._writes.append((0, new))

    def ticket(self, logs: Logs) -> int:
        """The ticket of the last of the lines; what is not written, or has failed, is written."""
        self._writes = [
            (ticket, lines) if ticket and not logs.failed(ticket) else (logs.write(lines), lines)
            for ticket, lines in self._writes
        ]
        return max((ticket for ticket, _ in self._writes), default=0)
