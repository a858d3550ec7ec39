"""Timeouts of tasks: a deadline that interrupts whatever the task waits for."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from perdure.model import durations
from perdure.model import failure as failures
from perdure.model.position import instance
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.lengths import Length
from perdure.openworkflow.running import Frame, Interrupted

R = TypeVar("R")


class Limit:
    """How long a task may take."""

    __slots__ = ("_length",)

    def __init__(self, length: Length) -> None:
        self._length = length

    async def around(self, frame: Frame, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """What `call` returns. Raises WorkflowError (timeout) where it takes too long."""
        limit_ms = await self._length.milliseconds(frame, frame.raw_input)
        return await limited(frame, frame.position, limit_ms, f"task {frame.name}", call)


async def limited(
    frame: Frame,
    position: str,
    limit_ms: int,
    what: str,
    call: Callable[[], Coroutine[Any, Any, R]],
) -> R:
    """What `call` returns, under a deadline at `position`.

    Raises WorkflowError (timeout) where `limit_ms` pass before.
    """
    machine = frame.run.machine
    deadline = f"{position}/~timeout"
    interruption = Interrupted()
    machine.set_deadline(deadline, machine.time + limit_ms, interruption)
    try:
        return await call()
    except Interrupted as interrupted:
        if interrupted is not interruption:
            raise
        detail = f"{what} took longer than {durations.text(limit_ms)}"
        raise WorkflowError(failures.timeout(detail).at(instance(frame.position))) from None
    finally:
        machine.clear_deadline(deadline)
