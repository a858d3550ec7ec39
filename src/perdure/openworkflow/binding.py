"""Expressions bound to where their arguments come from: what remains is to evaluate them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from perdure.openworkflow.descriptors import ARGUMENTS, Argument
from perdure.openworkflow.expressions import Expression, Template
from perdure.openworkflow.running import Frame

_NONE: Mapping[str, Any] = {}


class Bound:
    """An expression or a template, evaluated with the arguments of a frame."""

    __slots__ = ("_arguments", "_source")

    def __init__(self, source: Expression | Template, variables: Collection[str]) -> None:
        self._source = source
        self._arguments = arguments_of(source.variables, variables)

    async def evaluate(self, frame: Frame, value: Any) -> Any:
        """What it results in for `value`. Raises WorkflowError (expression)."""
        frame.run.work += 1
        return await self._source.evaluate(value, self._arguments(frame), frame.run)


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
