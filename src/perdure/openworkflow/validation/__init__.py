"""Validates documents: every problem at once, in document order, each with its place.

A document is read (`reading`), its structure is checked against a description of our own that
agrees with the specification's schema (`structure`), and then what it means (`semantics`). The
parts that are well-formed are checked further even where others are not.

Invariants:
- `validate` never raises, whatever the source is, and is bounded by the limits of `reading`.
- A report has findings, or everything that registering and running the document need.
"""

from hashlib import sha256

import msgspec

from perdure.model.exceptions import DefinitionError
from perdure.openworkflow.announcement import served
from perdure.openworkflow.findings import Finding
from perdure.openworkflow.reading import Node, attempt
from perdure.openworkflow.types import decode
from perdure.openworkflow.validation import semantics, structure
from perdure.openworkflow.validation.collector import LIMIT_FINDINGS, Collector, EnoughError
from perdure.ports.runtime import Served

__all__ = ["LIMIT_FINDINGS", "Finding", "Report", "validate"]


class Report(msgspec.Struct, frozen=True):
    """What validation has come to.

    Either `findings`, in document order, at most `LIMIT_FINDINGS` and one that says that there are
    more; or how the document is announced (`served`), and `body`, the document as compact JSON with
    its keys in the order of the text: what is stored and compiled.
    """

    findings: tuple[Finding, ...]
    served: Served | None = None
    body: bytes | None = None


def validate(source: bytes) -> Report:
    """Validate a document, YAML or JSON in UTF-8."""
    reading = attempt(source)
    found = Collector()
    found.findings.extend(reading.problems)
    if reading.root is not None:
        _check(reading.root, found)
    if found.findings:
        return Report(_in_order(found.findings))
    assert reading.root is not None
    return _accepted(reading.root, source)


def _check(root: Node, found: Collector) -> None:
    for check in (structure.check, semantics.check):
        found.path.clear()
        try:
            check(root, found)
        except EnoughError:
            return


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    ordered = sorted(findings, key=lambda finding: (finding.line, finding.column))
    if len(ordered) <= LIMIT_FINDINGS:
        return tuple(ordered)
    shown = ordered[:LIMIT_FINDINGS]
    last = shown[-1]
    more = Finding("", last.line, last.column, f"there are more problems than these {len(shown)}")
    return (*shown, more)


def _accepted(root: Node, source: bytes) -> Report:
    body = msgspec.json.encode(root.value)
    try:
        document = decode(root.value)
    except DefinitionError as error:  # a fault of ours: validation and types disagree
        return Report((Finding("", root.line, root.column, str(error)),))
    return Report((), served(document, source.decode(), sha256(body).hexdigest()), body)
