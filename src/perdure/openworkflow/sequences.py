"""Lists of tasks: one after another, or where directives say."""

from collections.abc import Sequence
from typing import Any

from perdure.openworkflow.running import CONTINUE, END, Directive, Run, Scope
from perdure.openworkflow.visits import CompiledTask


class TaskSequence:
    """A compiled list of tasks. `jumps` is whether any of them may be visited more than once."""

    __slots__ = ("_jumps", "_tasks")

    def __init__(self, tasks: Sequence[CompiledTask], *, jumps: bool) -> None:
        self._tasks = tuple(tasks)
        self._jumps = jumps

    async def run(self, run: Run, scope: Scope, position: str, value: Any) -> tuple[Any, Directive]:
        """Run the tasks below `position`; the output of the last, and EXIT or END where it said so.

        Each task's output is the next one's input; the first has `value`.
        """
        tasks = self._tasks
        count = len(tasks)
        visits = [0] * count if self._jumps else None
        index = 0
        while index < count:
            task = tasks[index]
            place = position + task.segment
            if visits is not None:
                if visits[index]:
                    place = f"{place}@{visits[index]}"
                visits[index] += 1
            value, directive = await task.run(run, scope, place, value)
            if directive == CONTINUE:
                index += 1
            elif directive >= 0:
                index = directive
            else:
                return value, directive
        return value, CONTINUE


def outward(directive: Directive) -> Directive | None:
    """What a list's directive says to the task that it belongs to: an exit ends only the list."""
    return END if directive == END else None
