"""Which parts of its value and arguments an expression reads: only these are handed to jq.

Reading JSON is most of what a short evaluation takes, and what is evaluated outside is recorded
with its arguments; a document's expressions often read one field of something large.
"""

from collections.abc import Iterable
from typing import Any

from perdure.openworkflow.expressions import syntax as s

Path = tuple[str, ...]
Parts = dict[str, Any] | None
"""By key, the parts of what is there; None for all of it."""

_WHOLE: frozenset[Path] = frozenset({()})
_OF_PARTS = (
    s.Comma,
    s.Binary,
    s.Logic,
    s.Alternative,
    s.Array,
    s.Object,
    s.Text,
    s.Negate,
    s.Index,
    s.Slice,
    s.Iterate,
)
"""What reads of its input what its children read of it."""


def of_value(node: s.Node) -> Parts:
    """What an expression reads of ``.``; nothing is no part of an object."""
    return _tree(_read(node))


def of_arguments(node: s.Node) -> dict[str, Parts]:
    """What an expression reads of variables, by name."""
    paths: dict[str, set[Path]] = {}
    standing = [node]
    while standing:
        part = standing.pop()
        root, path = _chain(part)
        if isinstance(root, s.Variable):
            paths.setdefault(root.name, set()).add(path)
        else:
            standing.extend(s.children(part))
    return {name: _tree(read) for name, read in paths.items()}


def taken(value: Any, parts: Parts) -> Any:
    """The parts of a value. What is no object is taken as it is, so that its type shows."""
    if parts is None or type(value) is not dict:
        return value
    return {key: taken(value[key], below) for key, below in parts.items() if key in value}


def _chain(node: s.Node) -> tuple[s.Node, Path]:
    """Where fields that are written begin, and which they are."""
    path: list[str] = []
    while isinstance(node, s.Index) and isinstance(node.key, s.Literal):
        if not isinstance(node.key.value, str):
            break
        path.append(node.key.value)
        node = node.target
    return node, tuple(reversed(path))


def _read(node: s.Node) -> frozenset[Path]:
    root, path = _chain(node)
    if isinstance(root, s.Identity):
        return frozenset({path})
    if isinstance(node, s.Literal | s.Variable | s.Location):
        return frozenset()
    if isinstance(node, s.Pipe):
        return _read(node.left)
    if isinstance(node, s.Try):
        return _read(node.body)
    if isinstance(node, s.If) and node.otherwise is not None:
        return _all(s.children(node))
    if isinstance(node, s.Bind) and all(isinstance(one, s.NamePattern) for one in node.patterns):
        return _read(node.source) | _read(node.body)
    return _all(s.children(node)) if isinstance(node, _OF_PARTS) else _WHOLE


def _all(nodes: Iterable[s.Node]) -> frozenset[Path]:
    return frozenset[Path]().union(*map(_read, nodes))


def _tree(paths: Iterable[Path]) -> Parts:
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=len):
        if not path:
            return None
        below = tree
        for key in path[:-1]:
            inner = below.setdefault(key, {})
            if inner is None:
                break
            below = inner
        else:
            below[path[-1]] = None
    return tree
