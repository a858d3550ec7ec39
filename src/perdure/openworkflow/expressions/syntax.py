"""The grammar of jq as a tree. What `syntax` makes of a source is in `parsing`."""

from collections.abc import Iterator
from typing import Any, Union

import msgspec


class Node(msgspec.Struct, frozen=True):
    """Base of all parts of an expression."""


class Identity(Node, frozen=True):
    """``.``"""


class Literal(Node, frozen=True):
    """A number, a string without interpolation, true, false or null."""

    value: int | float | str | bool | None


class Text(Node, frozen=True):
    """A string with interpolations, each formatted by `format` (``@text`` where None)."""

    format: str | None
    parts: tuple[Union[str, "Node"], ...]


class Format(Node, frozen=True):
    """``@base64``"""

    name: str


class Variable(Node, frozen=True):
    """``$name``; `at` is its offset in the source."""

    name: str
    at: int


class Location(Node, frozen=True):
    """``$__loc__``"""


class Index(Node, frozen=True):
    """``target[key]`` and ``target.key``; optional with ``?``."""

    target: Node
    key: Node
    optional: bool


class Slice(Node, frozen=True):
    """``target[start:end]``"""

    target: Node
    start: Node | None
    end: Node | None
    optional: bool


class Iterate(Node, frozen=True):
    """``target[]``"""

    target: Node
    optional: bool


class Try(Node, frozen=True):
    """``try body catch handler``, and ``body?``"""

    body: Node
    handler: Node | None


class Negate(Node, frozen=True):
    """``-operand``"""

    operand: Node


class Pipe(Node, frozen=True):
    """``left | right``"""

    left: Node
    right: Node


class Comma(Node, frozen=True):
    """``parts, …``: two or more."""

    parts: tuple[Node, ...]


class Binary(Node, frozen=True):
    """Arithmetic (``+ - * / %``) and comparison (``== != < <= > >=``)."""

    operator: str
    left: Node
    right: Node


class Logic(Node, frozen=True):
    """``left and right``, ``left or right``"""

    operator: str
    left: Node
    right: Node


class Alternative(Node, frozen=True):
    """``left // right``"""

    left: Node
    right: Node


class Assign(Node, frozen=True):
    """``paths = value``, ``|=`` and the others."""

    operator: str
    paths: Node
    value: Node


class Array(Node, frozen=True):
    """``[body]``"""

    body: Node | None


class Object(Node, frozen=True):
    """``{key: value}``; short forms are written out."""

    entries: tuple[tuple[Node, Node], ...]


class If(Node, frozen=True):
    """``if condition then consequence else otherwise end``"""

    condition: Node
    consequence: Node
    otherwise: Node | None


class NamePattern(Node, frozen=True):
    """``$name``"""

    name: str


class ArrayPattern(Node, frozen=True):
    """``[$a, $b]``"""

    items: tuple["Pattern", ...]


class ObjectPattern(Node, frozen=True):
    """``{key: $a, $b}``: per entry its key, the name that it binds itself, and a pattern."""

    entries: tuple[tuple[Node, str | None, Union["Pattern", None]], ...]


Pattern = NamePattern | ArrayPattern | ObjectPattern


class Bind(Node, frozen=True):
    """``source as $name | body``; more than one pattern with ``?//``."""

    source: Node
    patterns: tuple[Pattern, ...]
    body: Node


class Reduce(Node, frozen=True):
    """``reduce source as $name (initial; update)``"""

    source: Node
    patterns: tuple[Pattern, ...]
    initial: Node
    update: Node


class Foreach(Node, frozen=True):
    """``foreach source as $name (initial; update; extract)``"""

    source: Node
    patterns: tuple[Pattern, ...]
    initial: Node
    update: Node
    extract: Node | None


class Call(Node, frozen=True):
    """``name`` or ``name(argument; …)``; `at` is its offset in the source."""

    name: str
    arguments: tuple[Node, ...]
    at: int


class Define(Node, frozen=True):
    """``def name(parameters): body; rest``; a parameter that is a value begins with ``$``."""

    name: str
    parameters: tuple[str, ...]
    body: Node
    rest: Node


class Label(Node, frozen=True):
    """``label $name | body``"""

    name: str
    body: Node


class Break(Node, frozen=True):
    """``break $name``"""

    name: str
    at: int


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node, those of its patterns among them."""
    for name in node.__struct_fields__:
        yield from _nodes(getattr(node, name))


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def depth(node: Node) -> int:
    """How deep a tree is."""
    deepest = 0
    standing = [(node, 1)]
    while standing:
        part, level = standing.pop()
        deepest = max(deepest, level)
        standing.extend((child, level + 1) for child in children(part))
    return deepest


def walk(node: Node) -> Iterator[Node]:
    """All nodes of a tree, from left to right."""
    standing = [node]
    while standing:
        part = standing.pop()
        yield part
        standing.extend(reversed(list(children(part))))
