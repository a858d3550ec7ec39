"""Reads documents: text becomes a tree of JSON values that knows its lines and columns.

Invariants:
- The tree holds what JSON can hold, and nothing that JSON would change: finite numbers, integers
  of 64 bits, Unicode text without NUL, keys that are texts and occur once.
- Size, depth, number of values and of characters are bounded, aliases counted as what they expand
  to; a text beyond a limit costs no more than one at the limit.
- YAML is read by its 1.2 core schema, with JSON's numbers: plain ``true``, ``false``, ``null`` and
  ``~`` (and True, TRUE, …) and numbers as JSON writes them are special, all else is text. libyaml
  and PyYAML's own parser give the same tree; the latter refuses tabs within plain texts.
- JSON is read as JSON, not as the YAML that resembles it.
"""

from perdure.openworkflow.findings import Finding
from perdure.openworkflow.reading import json_text, yaml_text
from perdure.openworkflow.reading.draft import Draft, Stopped
from perdure.openworkflow.reading.node import Node
from perdure.openworkflow.reading.source import LIMIT_BYTES, NotJsonError, decoded

__all__ = ["LIMIT_BYTES", "Node", "Reading", "ReadingError", "attempt", "read"]


class ReadingError(Exception):
    """A text that is no document tree; `problems` are why, in its order."""

    def __init__(self, problems: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{p.line}:{p.column}: {p.message}" for p in problems))
        self.problems = problems


class Reading:
    """What came of reading: a tree as far as there is one, and what is wrong with it."""

    def __init__(self, root: Node | None, problems: tuple[Finding, ...]) -> None:
        self.root = root
        self.problems = problems


def read(source: bytes) -> Node:
    """The tree of a YAML or JSON text in UTF-8. Raises ReadingError."""
    reading = attempt(source)
    if reading.root is None or reading.problems:
        raise ReadingError(reading.problems)
    return reading.root


def attempt(source: bytes, *, pure: bool = False) -> Reading:
    """Read as much as can be read. `pure` takes PyYAML's own parser where libyaml is there too."""
    draft = Draft()
    try:
        text = decoded(source, draft)
        if text.lstrip(" \t\r\n").startswith("{"):
            try:
                return Reading(json_text.compose(text, draft), tuple(draft.problems))
            except NotJsonError:
                draft = Draft()
        return Reading(yaml_text.compose(text, draft, pure=pure), tuple(draft.problems))
    except Stopped:
        return Reading(None, tuple(draft.problems))
