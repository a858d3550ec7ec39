"""The language in which the structure of a document is described.

A shape checks a value and all that is in it, and reports each problem where it is. Shapes are
chosen by what a value is, never by trying one after the other: so there is one message for each
problem, and it speaks of what was probably meant.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from perdure.openworkflow.findings import listed, meant, nearest, quoted
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector


class Shape(Protocol):
    """What a value may be; `expected` names it, as ``an object`` or ``a duration``."""

    expected: str

    def fits(self, value: object) -> bool:
        """Whether the value is of the JSON type that this shape is about."""
        ...

    def check(self, node: Node, found: Collector) -> None:
        """Report all problems of the value at the collector's path."""
        ...


Rule = Callable[[Node, Collector], None]
"""Checks how the properties of an object go together."""


def described(value: object) -> str:
    """A value as a message shows it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    return "a list" if isinstance(value, list) else "an object"


def wrong_type(node: Node, expected: str, found: Collector) -> None:
    """Report a value of another type than expected."""
    value = node.value
    hint = ""
    if "text" in expected.split() and isinstance(value, bool | int | float):
        hint = ": put it in quotes"
    found.report(node, f"expected {expected}, found {described(value)}{hint}")


class Anything:
    """Any value."""

    expected = "a value"

    def fits(self, value: object) -> bool:
        return True

    def check(self, node: Node, found: Collector) -> None:
        pass


class Text:
    """A text, of a format where there is a test for it."""

    def __init__(self, expected: str = "a text", test: Callable[[str], bool] | None = None) -> None:
        self.expected = expected
        self._test = test

    def fits(self, value: object) -> bool:
        return isinstance(value, str)

    def check(self, node: Node, found: Collector) -> None:
        value = node.value
        if not isinstance(value, str):
            wrong_type(node, self._expected_text, found)
        elif self._test is not None and not self._test(value):
            found.report(node, f"expected {self.expected}, found {quoted(value)}")

    @property
    def _expected_text(self) -> str:
        return self.expected if "text" in self.expected.split() else f"a text: {self.expected}"


class Word:
    """One of a few texts."""

    def __init__(self, *words: str) -> None:
        self.expected = listed(words)
        self._words = words

    def fits(self, value: object) -> bool:
        return isinstance(value, str)

    def check(self, node: Node, found: Collector) -> None:
        value = node.value
        if isinstance(value, str) and value not in self._words:
            hint = meant(value, self._words)
            found.report(node, f"expected {self.expected}, found {quoted(value)}{hint}")
        elif not isinstance(value, str):
            found.report(node, f"expected {self.expected}, found {described(value)}")


class Integer:
    """An integer, between bounds where there are some."""

    def __init__(self, lowest: int | None = None, highest: int | None = None) -> None:
        between = f" from {lowest} to {highest}" if lowest is not None else ""
        self.expected = f"an integer{between}"
        self._lowest = lowest
        self._highest = highest

    def fits(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def check(self, node: Node, found: Collector) -> None:
        value = node.value
        if not isinstance(value, int) or isinstance(value, bool):
            hint = ": remove the quotes" if isinstance(value, str) and value.isdecimal() else ""
            found.report(node, f"expected {self.expected}, found {described(value)}{hint}")
        elif (self._lowest is not None and value < self._lowest) or (
            self._highest is not None and value > self._highest
        ):
            found.report(node, f"expected {self.expected}, found {value}")


class Boolean:
    """True or false."""

    expected = "true or false"

    def fits(self, value: object) -> bool:
        return isinstance(value, bool)

    def check(self, node: Node, found: Collector) -> None:
        if isinstance(node.value, bool):
            return
        hint = " (in YAML 1.2, yes, no, on and off are texts)"
        shown = node.value
        say = hint if isinstance(shown, str) and shown.lower() in _OLD_BOOLEANS else ""
        found.report(node, f"expected true or false, found {described(shown)}{say}")


_OLD_BOOLEANS = ("yes", "no", "on", "off", "y", "n")


class Items:
    """A list."""

    def __init__(self, item: Shape, *, what: str = "a list", least: int = 0) -> None:
        self.expected = what
        self._item = item
        self._least = least

    def fits(self, value: object) -> bool:
        return isinstance(value, list)

    def check(self, node: Node, found: Collector) -> None:
        if node.items is None:
            wrong_type(node, self.expected, found)
            return
        if len(node.items) < self._least:
            found.report(node, f"expected {self.expected}, found an empty list")
        for index, item in enumerate(node.items):
            with found.at(index):
                self._item.check(item, found)


class Named:
    """A list of objects with one key each, which is a name, as the DSL's lists of tasks are."""

    def __init__(self, item: Shape, *, what: str, each: str, least: int = 0) -> None:
        self.expected = what
        self._item = item
        self._each = each
        self._least = least

    def fits(self, value: object) -> bool:
        return isinstance(value, list)

    def check(self, node: Node, found: Collector) -> None:
        if node.items is None:
            hint = ": begin each line that names one with '- '" if node.members is not None else ""
            found.report(node, f"expected {self.expected}, found {described(node.value)}{hint}")
            return
        if len(node.items) < self._least:
            found.report(node, f"expected {self.expected}, found an empty list")
        for index, item in enumerate(node.items):
            with found.at(index):
                self._entry(item, found)

    def _entry(self, node: Node, found: Collector) -> None:
        if node.members is None:
            found.report(
                node,
                f"expected an object with one key, the name of {self._each}, "
                f"found {described(node.value)}",
            )
            return
        if len(node.members) != 1:
            count = len(node.members)
            keys = f" ({listed(map(quoted, node.members), 'and')})" if count else ""
            found.report(
                node,
                f"expected one key, the name of {self._each}, found {count}{keys}: "
                f"indent what belongs to {self._each} deeper than its name, and begin another "
                "one with '- '",
            )
            return
        for name, member in node.members.items():
            with found.at(name):
                self._item.check(member, found)


class Object:
    """An object: `what` it is, the shapes of its properties, and which ones it must have.

    Others are refused, unless it is `open`; with `rest` they have that shape. Of each group in
    `one_of` it has exactly one.
    """

    def __init__(
        self,
        what: str,
        properties: Mapping[str, Shape] | None = None,
        *,
        required: Sequence[str] = (),
        open: bool = False,  # noqa: A002
        rest: Shape | None = None,
        least: int = 0,
        one_of: Sequence[Sequence[str]] = (),
        rules: Sequence[Rule] = (),
    ) -> None:
        self.expected = f"an object ({what})" if what else "an object"
        self.what = what or "this object"
        self.properties = dict(properties or {})
        self.required = tuple(required)
        self._open = open or rest is not None
        self._rest = rest
        self._least = least
        self._one_of = tuple(one_of)
        self._rules = tuple(rules)

    def fits(self, value: object) -> bool:
        return isinstance(value, dict)

    def check(self, node: Node, found: Collector) -> None:
        members = node.members
        if members is None:
            found.report(node, f"expected {self.expected}, found {described(node.value)}")
            return
        if len(members) < self._least:
            some = f", such as {listed(self.properties)}" if self.properties else ""
            found.report(node, f"{self.what} is empty: it needs at least one property{some}")
        groups = [(group, [n for n in group if n in members]) for group in self._one_of]
        missing = [name for name in self.required if name not in members]
        wanted = [*missing, *(name for group, there in groups if not there for name in group)]
        for name, member in members.items():
            shape = self.properties.get(name, self._rest)
            if shape is not None:
                with found.at(name):
                    shape.check(member, found)
            elif not self._open or nearest(name, wanted) is not None:
                near = self._unknown(node, name, wanted, found)
                missing = [m for m in missing if m != near]
                wanted = [w for w in wanted if w != near]
                groups = [group for group in groups if near not in group[0]]
        for name in missing:
            found.report(node, f"{self.what} needs the property {name}, which is missing")
        for group, there in groups:
            self._check_group(node, group, there, found)
        for rule in self._rules:
            rule(node, found)

    def _unknown(self, node: Node, name: str, wanted: Iterable[str], found: Collector) -> str:
        """Report a property that there is not; the one that was probably meant."""
        present = node.members or {}
        candidates = [*wanted, *(p for p in self.properties if p not in present)]
        near = nearest(name, candidates)
        if near is not None:
            hint = f" (did you mean {near}?)"
        else:
            hint = f": it has {listed(self.properties, 'and')}" if self.properties else ""
        found.report_key(node, name, f"{self.what} has no property {quoted(name)}{hint}")
        return near or ""

    def _check_group(
        self, node: Node, group: Sequence[str], there: Sequence[str], found: Collector
    ) -> None:
        if not there:
            found.report(node, f"{self.what} needs one of the properties {listed(group)}")
        for name in there[1:]:
            found.report_key(node, name, f"{name} cannot stand beside {there[0]}: keep one of them")


class Choice:
    """One of several shapes, of different JSON types."""

    def __init__(self, *shapes: Shape, expected: str = "") -> None:
        self.expected = expected or " or ".join(shape.expected for shape in shapes)
        self._shapes = shapes

    def fits(self, value: object) -> bool:
        return any(shape.fits(value) for shape in self._shapes)

    def check(self, node: Node, found: Collector) -> None:
        for shape in self._shapes:
            if shape.fits(node.value):
                shape.check(node, found)
                return
        wrong_type(node, self.expected, found)


class Later:
    """A shape that is described further below, or that contains itself."""

    def __init__(self, expected: str, shape: Callable[[], Shape]) -> None:
        self.expected = expected
        self._shape = shape

    def fits(self, value: object) -> bool:
        return self._shape().fits(value)

    def check(self, node: Node, found: Collector) -> None:
        self._shape().check(node, found)
