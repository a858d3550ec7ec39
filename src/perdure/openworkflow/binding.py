"""Expressions bound to where their arguments come from: what remains is to evaluate them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from perdure.openworkflow.descriptors import ARGUMENTS, Argument
from perdure.openworkflow.expressions import Expression, Template
from perdure.openworkflow.running import Frame

_NONE: Mapping[str, Any] = {}


class Bound:
    """An expression or a template, evaluated with the arguments of a frame."""

    __slots__ = ("_arguments", "_source", "here", "now")

    def __init__(self, source: Expression | Template, variables: Collection[str]) -> None:
        self._source = source
        self._arguments = arguments = arguments_of(source.variables, variables)
        self.here = source.bounded
        """Whether `now` can be used."""
        self.now: Callable[[Frame, Any], Any]
        evaluate_here = source.evaluate_here

        def now(frame: Frame, value: Any) -> Any:
            frame.run.work += 1
            return evaluate_here(value, arguments(frame))

        self.now = now

    async def later(self, frame: Frame, value: Any) -> Any:
        """What it results in for `value`. Raises WorkflowError (expression)."""
        frame.run.work += 1
        return await self._source.evaluate(value, self._arguments(frame))

    async def evaluate(self, frame: Frame, value: Any) -> Any:
        """What it results in for `value`, in place or not. Raises WorkflowError (expression)."""
        return self.now(frame, value) if self.here else await self.later(frame, value)


def arguments_of(
    names: Collection[str], variables: Collection[str]
) -> Callable[[Frame], Mapping[str, Any]]:
    """How the arguments of these names are had; `variables` hide what else has their name."""
    if not names:
        return lambda _: _NONE
    sources = tuple((name, _argument(name, variables)) for name in sorted(names))
    return lambda frame: {name: get(frame) for name, get in sources}


def _argument(name: str, variables: Collection[str]) -> Argument:
    if name in variables:
        return lambda frame: frame.scope.variables[name]
    return ARGUMENTS[name]
