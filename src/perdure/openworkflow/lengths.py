"""Lengths of time in documents, constant or to be evaluated."""

from typing import Any

from perdure.openworkflow import durations
from perdure.openworkflow.binding import Bound
from perdure.openworkflow.running import Frame


class Length:
    """A length of time: constant, or the result of an expression."""

    __slots__ = ("_constant_ms", "_expression")

    def __init__(self, constant_ms: int, expression: Bound | None = None) -> None:
        self._constant_ms = constant_ms
        self._expression = expression

    async def milliseconds(self, frame: Frame, value: Any) -> int:
        """The length, for `value`. Raises WorkflowError (expression)."""
        if self._expression is None:
            return self._constant_ms
        return durations.resulting(await self._expression.evaluate(frame, value))
