"""URI templates: RFC 6570 at level 1, simple string expansion (dsl-reference, URI Template).

Names stand for properties of one object, verbatim: ``{pet.id}`` is its property ``pet.id``. What
may not stand in a URI is percent-encoded, in values (section 3.2.2) and outside of expressions
(section 3.1); nothing else is changed.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import DefinitionError
from perdure.openworkflow.errors import WorkflowError

_NAME = re.compile(r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*")
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RESERVED = ":/?#[]@!$&'()*+,;="
_OPERATORS = "+#./;?&=,!@|"


class UriTemplateError(DefinitionError):
    """A text that is no template; `offset` is the character, from 0, where it goes wrong."""

    def __init__(self, source: str, offset: int, problem: str) -> None:
        super().__init__(f"{problem}, at character {offset + 1} of {source!r}")
        self.offset = offset


class UriTemplate:
    """A template that was parsed; `names` are the properties that it mentions, in order."""

    def __init__(self, parts: tuple[tuple[str, bool], ...]) -> None:
        self._parts = parts
        self.names = tuple(text for text, is_name in parts if is_name)

    def expand(self, value: Any) -> str:
        """The URI with the properties of `value`, which has none where it is no object.

        A property that is missing or null is empty. Raises WorkflowError (expression) for one
        that is an object or an array.
        """
        if not self.names:
            return "".join(text for text, _ in self._parts)
        properties = value if isinstance(value, dict) else {}
        return "".join(
            _expanded(text, properties.get(text)) if is_name else text
            for text, is_name in self._parts
        )


def parse(source: str) -> UriTemplate:
    """The template that is written so. Raises UriTemplateError."""
    return UriTemplate(tuple(_parts(source)))


def _parts(source: str) -> Iterator[tuple[str, bool]]:
    """Literal texts, encoded, and names; which of them it is follows each."""
    begin = 0
    while begin < len(source):
        opening = source.find("{", begin)
        literal = source[begin:] if opening < 0 else source[begin:opening]
        if "}" in literal:
            offset = begin + literal.index("}")
            raise UriTemplateError(source, offset, "'}' closes nothing")
        if literal:
            yield _encoded(literal), False
        if opening < 0:
            return
        closing = source.find("}", opening)
        if closing < 0:
            raise UriTemplateError(source, opening, "'{' is never closed")
        yield _name(source, opening + 1, closing), True
        begin = closing + 1


def _name(source: str, begin: int, end: int) -> str:
    name = source[begin:end]
    if _NAME.fullmatch(name):
        return name
    example = "write the name of one property, as in {petId}"
    if not name:
        raise UriTemplateError(source, begin, f"an expression without a name: {example}")
    if name[0] in _OPERATORS:
        problem = f"the operator {name[0]!r} of RFC 6570 is not supported: {example}"
        raise UriTemplateError(source, begin, problem)
    matched = _NAME.match(name)
    offset = begin + (matched.end() if matched else 0)
    problem = f"{source[offset]!r} cannot stand in a name: {example}"
    raise UriTemplateError(source, offset, problem)


def _encoded(literal: str) -> str:
    """A literal with what no URI may have encoded; percent-encoded characters stay."""
    if _LOOSE_PERCENT.search(literal):
        literal = _LOOSE_PERCENT.sub("%25", literal)
    return quote(literal, safe=_RESERVED + "%", errors="replace")


def _expanded(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "an array"
        raise WorkflowError(
            failures.expression(
                f"the URI template's {{{name}}} is {kind}, and has to be a string, a number, "
                "a boolean or null"
            )
        )
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return quote(text, safe="", errors="replace")
