"""What an expression mentions: variables and functions that it does not define itself."""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.functions import FUNCTIONS, REFUSED
from perdure.openworkflow.expressions.lexing import failed

_OF_JQ = frozenset({"ENV"})
"""Variables that are there without being arguments."""


class Mentioned(msgspec.Struct, frozen=True):
    """What has to be there where an expression is evaluated."""

    variables: frozenset[str]
    functions: frozenset[str]


class _Scope(msgspec.Struct, frozen=True):
    """What is defined at a place: variables, functions (``name/arguments``), labels."""

    variables: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def with_variables(self, names: Iterable[str]) -> "_Scope":
        return _Scope(self.variables.union(names), self.functions, self.labels)

    def with_functions(self, names: Iterable[str]) -> "_Scope":
        return _Scope(self.variables, self.functions.union(names), self.labels)


def mentioned(source: str, node: s.Node) -> Mentioned:
    """Resolve the names of an expression.

    Raises ExpressionError for functions that jq does not have, or that documents cannot have, and
    for a `break` out of no label.
    """
    resolver = _Resolver(source)
    resolver.visit(node, _Scope())
    return Mentioned(frozenset(resolver.variables - _OF_JQ), frozenset(resolver.functions))


class _Resolver:
    """Walks a tree with what is in scope."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.variables: set[str] = set()
        self.functions: set[str] = set()

    def visit(self, node: s.Node, scope: _Scope) -> None:
        """Resolve what a node mentions."""
        match node:
            case s.Variable(name) if name not in scope.variables:
                self.variables.add(name)
            case s.Call():
                self._call(node, scope)
            case s.Bind(source, patterns, body):
                self._loop(source, patterns, (), (body,), scope)
            case s.Reduce(source, patterns, initial, update):
                self._loop(source, patterns, (initial,), (update,), scope)
            case s.Foreach(source, patterns, initial, update, extract):
                inside = (update,) if extract is None else (update, extract)
                self._loop(source, patterns, (initial,), inside, scope)
            case s.Define():
                self._define(node, scope)
            case s.Label(name, body):
                self.visit(body, _Scope(scope.variables, scope.functions, scope.labels | {name}))
            case s.Break(name, at) if name not in scope.labels:
                raise failed(self._source, at, f"there is no label ${name} to break out of")
            case _:
                for child in s.children(node):
                    self.visit(child, scope)

    def _loop(
        self,
        source: s.Node,
        patterns: tuple[s.Pattern, ...],
        outside: tuple[s.Node, ...],
        inside: tuple[s.Node, ...],
        scope: _Scope,
    ) -> None:
        """Visit what binds patterns, and what is in their scope."""
        for node in (source, *outside):
            self.visit(node, scope)
        bound = self._bound(patterns, scope)
        for node in inside:
            self.visit(node, bound)

    def _define(self, node: s.Define, scope: _Scope) -> None:
        outside = scope.with_functions([f"{node.name}/{len(node.parameters)}"])
        inside = outside.with_functions([f"{name.lstrip('$')}/0" for name in node.parameters])
        values = [name[1:] for name in node.parameters if name.startswith("$")]
        self.visit(node.body, inside.with_variables(values))
        self.visit(node.rest, outside)

    def _call(self, node: s.Call, scope: _Scope) -> None:
        for argument in node.arguments:
            self.visit(argument, scope)
        name, count = node.name, len(node.arguments)
        signature = f"{name}/{count}"
        if signature in scope.functions:
            return
        if name in REFUSED:
            raise failed(self._source, node.at, f"`{name}` cannot be used: {REFUSED[name]}")
        if signature not in FUNCTIONS:
            raise failed(self._source, node.at, _unknown(name, count, scope.functions))
        self.functions.add(signature)

    def _bound(self, patterns: tuple[s.Pattern, ...], scope: _Scope) -> _Scope:
        """The scope with what patterns bind; keys see what is bound before them."""
        for pattern in patterns:
            scope = self._pattern(pattern, scope)
        return scope

    def _pattern(self, pattern: s.Pattern, scope: _Scope) -> _Scope:
        match pattern:
            case s.NamePattern(name):
                return scope.with_variables([name])
            case s.ArrayPattern(items):
                return self._bound(items, scope)
            case s.ObjectPattern(entries):
                for key, variable, inner in entries:
                    self.visit(key, scope)
                    if variable is not None:
                        scope = scope.with_variables([variable])
                    if inner is not None:
                        scope = self._pattern(inner, scope)
                return scope


def _unknown(name: str, count: int, defined: frozenset[str]) -> str:
    known = sorted(FUNCTIONS | defined)
    others = sorted(one.partition("/")[2] for one in known if one.partition("/")[0] == name)
    if others:
        wants = " or ".join(others)
        return f"`{name}` takes {wants} arguments, not {count}; they are separated by `;`"
    near = get_close_matches(name, {one.partition("/")[0] for one in known}, 1)
    hint = f": did you mean `{near[0]}`?" if near else ""
    quoted = f' (a text stands in quotes: "{name}")' if not hint and count == 0 else ""
    return f"jq has no function `{name}`{hint}{quoted}"
