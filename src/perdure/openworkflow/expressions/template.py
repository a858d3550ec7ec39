"""Trees whose strings may be expressions: what `set`, `with` and their like hold."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.openworkflow.errors import ExpressionError, WorkflowError
from perdure.openworkflow.expressions.expression import Expression, Stretch, compile
from perdure.openworkflow.expressions.sizes import SMALL_BYTES, fit

Mode = Literal["strict", "loose"]

_EXPRESSION = re.compile(r"\s*\$\{(.+)\}\s*", re.DOTALL)


def is_expression(text: str) -> bool:
    """Whether a string is an expression in strict mode (the schema's `runtimeExpression`)."""
    return _EXPRESSION.fullmatch(text) is not None


def always_expression(text: str) -> str:
    """The jq of a field that is always an expression, with or without ``${ }``."""
    match = _EXPRESSION.fullmatch(text)
    return match[1] if match else text


def truthy(value: Any) -> bool:
    """Whether jq takes a value for true: all but false and null."""
    return value is not None and value is not False


class Template:
    """A compiled tree. `constant` where no string of it is an expression."""

    __slots__ = ("_expressions", "_loose", "_tree", "_written", "bounded", "constant", "variables")

    def __init__(self, tree: Any, available: Collection[str], mode: Mode) -> None:
        self._loose = mode == "loose"
        self._expressions: list[Expression] = []
        self._tree = self._compile(tree, available)
        self.constant = not self._expressions
        text = "" if isinstance(tree, str) else msgspec.json.encode(tree).decode()
        self._written = text if len(text) > SMALL_BYTES else None
        """What is written out, where it counts."""
        self.variables = frozenset[str]().union(*(e.variables for e in self._expressions))
        self.bounded = all(expression.bounded for expression in self._expressions)

    async def evaluate(
        self, value: Any, arguments: Mapping[str, Any], stretch: Stretch | None = None
    ) -> Any:
        """The tree with its expressions evaluated, for a program that a machine steps."""
        found: list[Any] = [self._written]
        made = await self._evaluate(self._tree, value, arguments, stretch, found)
        _check(found)
        return made

    def evaluate_here(self, value: Any, arguments: Mapping[str, Any]) -> Any:
        """The same where all expressions are bounded. Raises WorkflowError."""
        found: list[Any] = [self._written]
        made = self._evaluate_here(self._tree, value, arguments, found)
        _check(found)
        return made

    def made_with(self, variables: Collection[str], result: Any) -> list[Any]:
        """The parts of a result that are values of expressions which mention any of these."""
        found: list[Any] = []
        pairs = [(self._tree, result)]
        while pairs:
            tree, value = pairs.pop()
            if isinstance(tree, tuple):
                if not tree[0].variables.isdisjoint(variables):
                    found.append(value)
            elif isinstance(tree, dict):
                pairs += [(item, value[key]) for key, item in tree.items()]
            elif isinstance(tree, list):
                pairs += zip(tree, value, strict=True)
        return found

    def _compile(self, tree: Any, available: Collection[str]) -> Any:
        if isinstance(tree, str):
            match = _EXPRESSION.fullmatch(tree)
            if match is None and not self._loose:
                return tree
            try:
                expression = compile(match[1] if match else tree, available)
            except ExpressionError:
                if self._loose:
                    return tree
                raise
            self._expressions.append(expression)
            return (expression, tree)
        if isinstance(tree, dict):
            return {key: self._compile(item, available) for key, item in tree.items()}
        if isinstance(tree, list):
            return [self._compile(item, available) for item in tree]
        return tree

    async def _evaluate(
        self,
        tree: Any,
        value: Any,
        arguments: Mapping[str, Any],
        stretch: Stretch | None,
        found: list[Any],
    ) -> Any:
        if isinstance(tree, tuple):
            expression, text = tree
            try:
                result = await expression.evaluate(value, arguments, stretch)
            except WorkflowError:
                if self._loose:
                    return text
                raise
            found.append(result)
            return result
        if isinstance(tree, dict):
            return {
                key: await self._evaluate(v, value, arguments, stretch, found)
                for key, v in tree.items()
            }
        if isinstance(tree, list):
            return [await self._evaluate(item, value, arguments, stretch, found) for item in tree]
        return tree

    def _evaluate_here(
        self, tree: Any, value: Any, arguments: Mapping[str, Any], found: list[Any]
    ) -> Any:
        if isinstance(tree, tuple):
            expression, text = tree
            try:
                result = expression.evaluate_here(value, arguments)
            except WorkflowError:
                if self._loose:
                    return text
                raise
            found.append(result)
            return result
        if isinstance(tree, dict):
            return {key: self._evaluate_here(v, value, arguments, found) for key, v in tree.items()}
        if isinstance(tree, list):
            return [self._evaluate_here(item, value, arguments, found) for item in tree]
        return tree


def _check(found: list[Any]) -> None:
    if not fit(found):
        raise WorkflowError(
            failures.expression(
                f"the expressions of an object result in more than {VALUE_LIMIT_BYTES:,} bytes "
                "together: store them elsewhere and pass references"
            )
        )


def template(tree: Any, available: Collection[str], *, mode: Mode = "strict") -> Template:
    """Compile a tree. Raises ExpressionError, which loose mode never does."""
    return Template(tree, available, mode)
