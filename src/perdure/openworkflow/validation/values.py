"""Single values that have to mean something: durations, names of variables, JSON Schemas."""

import re
from typing import NoReturn

import jsonschema_rs

from perdure.model.durations import milliseconds
from perdure.openworkflow.expressions import is_expression
from perdure.openworkflow.findings import quoted
from perdure.openworkflow.formats import is_duration, is_json_schema
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS_MS = {
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1_000,
    "milliseconds": 1,
}
_LONGEST_MS = 100 * 366 * 86_400_000
PATTERN_OPTIONS = jsonschema_rs.RegexOptions(size_limit=1_000_000)
"""How patterns in schemas are matched: in linear time."""


def check_duration(node: Node, found: Collector) -> None:
    """Report a well-formed duration that is negative, has no fixed length, or is too long."""
    value = node.value
    if isinstance(value, str):
        if is_expression(value) or not is_duration(value):
            return
        if "Y" in value or "M" in value.partition("T")[0]:
            found.report(
                node, f"{quoted(value)} has no fixed length: write years and months as days"
            )
            return
        try:
            milliseconds(value)
        except ValueError as error:
            found.report(node, str(error))
    elif node.members is not None:
        total = 0
        for unit, part in node.members.items():
            amount = part.value
            if unit not in _UNITS_MS or not isinstance(amount, int) or isinstance(amount, bool):
                return
            if amount < 0:
                with found.at(unit):
                    found.report(part, f"a duration is not negative, found {amount}")
                return
            total += amount * _UNITS_MS[unit]
        if total > _LONGEST_MS:
            found.report(node, "a duration is at most 100 years long")


def check_variable(node: Node, found: Collector) -> None:
    """Report what is no name of a variable of an expression."""
    if _VARIABLE.fullmatch(node.value) is None:
        found.report(
            node,
            f"{quoted(node.value)} is no name for a variable: it has letters, digits and _, and "
            "begins with no digit (expressions mention it with a $ before it)",
        )


def check_schema(node: Node, found: Collector) -> None:
    """Report an inline JSON Schema (draft 2020-12) that is none; nothing is fetched for it."""
    format_, document = node.member("format"), node.member("document")
    if document is None or not is_json_schema(format_.value if format_ is not None else "json"):
        return
    try:
        jsonschema_rs.Draft202012Validator(
            document.value, pattern_options=PATTERN_OPTIONS, retriever=_fetch_nothing
        )
    except jsonschema_rs.ValidationError as error:
        path = ["document", *error.instance_path]
        at: Node | None = node
        for step in path:
            at = _child(at, step)
        message = f"this is no JSON Schema: {error.message[:300]}"
        with found.at(*path):
            found.report(at or document, message)
    except ValueError as error:
        with found.at("document"):
            found.report(document, f"this is no JSON Schema: {str(error)[:300]}")


def _child(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    if isinstance(step, int):
        return node.items[step] if node.items is not None and step < len(node.items) else None
    return node.member(step)


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")
