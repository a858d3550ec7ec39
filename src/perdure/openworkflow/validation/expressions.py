"""Checks the expressions of a document: that they compile, and have what they mention."""

import re
from collections.abc import Set

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import always_expression, compile, is_expression, sites
from perdure.openworkflow.findings import meant, quoted
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector

_SECRET = re.compile(r"\$secrets\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


class Expressions:
    """Compiles what may be an expression; nothing where their language is not known.

    In loose mode a text that does not compile is a text, unless it is in ``${ }``.
    """

    def __init__(self, found: Collector, secrets: tuple[str, ...], *, known: bool) -> None:
        self._found = found
        self._secrets = secrets
        self._known = known
        self._problems: dict[tuple[str, frozenset[str]], str | None] = {}

    def expression(self, node: Node | None, available: Set[str]) -> None:
        """A text that is always an expression, in ``${ }`` or bare."""
        if node is not None and isinstance(node.value, str) and self._known:
            self._check(node, node.value, available)

    def expression_or_values(self, node: Node | None, available: Set[str]) -> None:
        """A text that is always an expression, or an object or list with values."""
        if node is not None and isinstance(node.value, str):
            self.expression(node, available)
        else:
            self.values(node, available)

    def values(self, node: Node | None, available: Set[str]) -> None:
        """A value whose texts may be expressions, in ``${ }``."""
        if node is None or not self._known:
            return
        if isinstance(node.value, str):
            if is_expression(node.value):
                self._check(node, node.value, available)
        elif node.members is not None:
            for key, member in node.members.items():
                with self._found.at(key):
                    self.values(member, available)
        elif node.items is not None:
            for index, item in enumerate(node.items):
                with self._found.at(index):
                    self.values(item, available)

    def _check(self, node: Node, text: str, available: Set[str]) -> None:
        key = (text, frozenset(available))
        if key not in self._problems:
            self._problems[key] = self._problem(always_expression(text), available)
        problem = self._problems[key]
        if problem is not None:
            self._found.report(node, problem)

    def _problem(self, source: str, available: Set[str]) -> str | None:
        try:
            expression = compile(source, available)
        except ExpressionError as error:
            return str(error)
        if "secrets" in expression.variables:
            for secret in _SECRET.findall(source):
                if secret not in self._secrets:
                    near = meant(secret, self._secrets)
                    return f"there is no secret {quoted(secret)}{near}: declare it in use.secrets"
        if expression.variables & sites.SECRET and not expression.bounded:
            return (
                "an expression that mentions $secrets or $authorization has to be one that ends "
                "soon for certain: without recursion, reduce, foreach and the like"
            )
        return None
