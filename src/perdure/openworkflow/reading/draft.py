"""A tree while it is read: what has been found wrong so far, and how much has been read."""

import math
import re
from typing import NoReturn

from perdure.openworkflow.findings import Finding, pointer, quoted
from perdure.openworkflow.reading.node import Node

LIMIT_DEPTH = 100
"""How deep values may be nested; a value in the outermost object has depth 1."""
LIMIT_NODES = 100_000
"""How many values a document may have, aliases expanded."""
LIMIT_CHARACTERS = 1_048_576
"""How many characters keys and texts may have in all, aliases expanded."""
LIMIT_KEY = 1_024
"""How many characters a key may have (YAML 1.2, section 7.4, has the same for plain ones)."""
LIMIT_PROBLEMS = 100
"""After how many problems reading ends."""
_LIMIT_NUMBER = 1_000
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
"""A number as JSON writes it (RFC 8259, section 6); with either group it is no integer."""
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Place = tuple[int, int]


class Stopped(Exception):
    """Reading cannot go on; the reason is among the draft's problems."""


class Draft:
    """Collects problems, with the path at which the reading is, and counts against the limits."""

    def __init__(self) -> None:
        self.problems: list[Finding] = []
        self.path: list[str | int] = []
        self.nodes = 0
        self.characters = 0

    def report(self, place: Place, message: str) -> None:
        """Note a problem. Raises Stopped after too many."""
        self.problems.append(Finding(pointer(self.path), *place, message))
        if len(self.problems) > LIMIT_PROBLEMS:
            raise Stopped

    def stop(self, place: Place, message: str) -> NoReturn:
        """Note a problem, and raise Stopped."""
        self.report(place, message)
        raise Stopped

    def count(self, place: Place, *, nodes: int = 1, characters: int = 0, height: int = 0) -> None:
        """Count what is about to be added below the path. Raises Stopped beyond a limit."""
        self.nodes += nodes
        self.characters += characters
        if len(self.path) + height > LIMIT_DEPTH:
            self.stop(place, f"this is nested deeper than {LIMIT_DEPTH} levels")
        if self.nodes > LIMIT_NODES:
            self.stop(
                place,
                f"the document has more than {LIMIT_NODES:,} values, what aliases stand for "
                "included: split it into several workflows",
            )
        if self.characters > LIMIT_CHARACTERS:
            self.stop(
                place,
                f"the texts of the document have more than {LIMIT_CHARACTERS:,} characters, what "
                "aliases stand for included",
            )

    def text(self, place: Place, text: str) -> Node:
        """A text, checked."""
        self._check(place, text)
        return Node(text, *place)

    def key(self, place: Place, key: str, keys: dict[str, Place]) -> bool:
        """Check a key of the object at the path; whether it is new there."""
        self._check(place, key)
        if len(key) > LIMIT_KEY:
            self.stop(place, f"this key has more than {LIMIT_KEY:,} characters")
        first = keys.get(key)
        if first is not None:
            self.report(
                place,
                f"the key {quoted(key)} occurs twice in this object, first in line {first[0]}: "
                "remove or rename one of them",
            )
            return False
        keys[key] = place
        return True

    def number(self, place: Place, literal: str) -> Node:
        """A number from how JSON writes it."""
        match = NUMBER.fullmatch(literal)
        assert match is not None
        if len(literal) > _LIMIT_NUMBER:
            self.report(place, f"this number has more than {_LIMIT_NUMBER:,} digits")
            return Node(0, *place)
        if match[1] is None and match[2] is None:
            integer = int(literal)
            if not _LOWEST <= integer <= _HIGHEST:
                self.report(
                    place,
                    f"the integer {quoted(literal)} does not fit in 64 bits: write it in quotes, "
                    "as a text",
                )
                return Node(0, *place)
            return Node(integer, *place)
        number = float(literal)
        if not math.isfinite(number):
            self.report(place, f"the number {quoted(literal)} is too large for a double")
            return Node(0, *place)
        return Node(number, *place)

    def _check(self, place: Place, text: str) -> None:
        self.count(place, nodes=0, characters=len(text))
        wrong = None if text.isascii() and "\0" not in text else _NO_TEXT.search(text)
        if wrong is not None:
            what = "NUL" if wrong[0] == "\0" else "half of a surrogate pair"
            self.report(
                place, f"this text has a character that no text can have: {what} ({wrong[0]!r})"
            )
