"""Single values that have to mean something: durations, names of variables, JSON Schemas."""

import re
from typing import NoReturn

import jsonschema_rs
import msgspec

from perdure.model.schemas import parts_of
from perdure.openworkflow.durations import milliseconds
from perdure.openworkflow.expressions import is_expression
from perdure.openworkflow.findings import quoted
from perdure.openworkflow.formats import (
    is_duration,
    is_json_schema,
    is_location,
)
from perdure.openworkflow.reading import Node
from perdure.openworkflow.types import DurationParts
from perdure.openworkflow.uri_templates import UriTemplateError, parse
from perdure.openworkflow.validation.collector import Collector

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_JQ = ("ENV", "__loc__")
_METHOD = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
PATTERN_OPTIONS = jsonschema_rs.RegexOptions(size_limit=1_000_000)
"""How patterns in schemas are matched: in linear time."""
LARGEST_SCHEMA = 100_000
"""Parts that a schema may have, with its references filled in."""


def check_duration(node: Node, found: Collector) -> None:
    """Report a well-formed duration that is negative or too long."""
    value = node.value
    if isinstance(value, str):
        if is_expression(value) or not is_duration(value):
            return
        duration: DurationParts | str = value
    elif isinstance(value, dict):
        try:
            duration = msgspec.convert(value, DurationParts)
        except msgspec.ValidationError:
            return
        for unit, part in (node.members or {}).items():
            if isinstance(part.value, int) and part.value < 0:
                with found.at(unit):
                    found.report(part, f"a duration is not negative, found {part.value}")
                return
    else:
        return
    try:
        milliseconds(duration)
    except ValueError:
        found.report(node, "a duration has at most 100 years, and at most 64 characters")


def check_status(node: Node | None, found: Collector) -> None:
    """Report a status of an error that is no number of up to three digits."""
    if node is not None and isinstance(node.value, int) and not 0 <= node.value <= 999:
        found.report(node, f"expected a status between 0 and 999, such as 404, found {node.value}")


def check_count(node: Node | None, found: Collector) -> None:
    """Report a count of retries that is negative."""
    if node is not None and isinstance(node.value, int) and node.value < 0:
        found.report(node, f"a count of retries is not negative, found {node.value}")


def check_variable(node: Node, found: Collector) -> None:
    """Report what is no name of a variable of an expression."""
    if _VARIABLE.fullmatch(node.value) is None:
        found.report(
            node,
            f"{quoted(node.value)} is no name for a variable: it has letters, digits and _, and "
            "begins with no digit (expressions mention it with a $ before it)",
        )
    elif node.value in _OF_JQ:
        found.report(
            node,
            f"{quoted(node.value)} is no name for a variable: to jq, ${node.value} is something "
            "else already",
        )


def check_template(node: Node | None, found: Collector) -> None:
    """Report a URI template that goes beyond RFC 6570's level 1 (dsl-reference, URI Template)."""
    if node is None or not isinstance(node.value, str) or not is_location(node.value):
        return
    try:
        parse(node.value)
    except UriTemplateError as error:
        found.report(node, str(error))


def check_method(node: Node, found: Collector) -> None:
    """Report what is no method of HTTP (RFC 9110, section 9.1), as far as its form goes."""
    if isinstance(node.value, str) and _METHOD.fullmatch(node.value) is None:
        found.report(
            node, f"expected an HTTP method such as get or post, found {quoted(node.value)}"
        )


def check_schema(node: Node, found: Collector) -> None:
    """Report an inline JSON Schema (draft 2020-12) that is none; nothing is fetched for it."""
    format_, document = node.member("format"), node.member("document")
    if document is None or not is_json_schema(format_.value if format_ is not None else "json"):
        return
    if parts_of(document.value, LARGEST_SCHEMA, unknown=1) > LARGEST_SCHEMA:
        with found.at("document"):
            found.report(
                document,
                f"this schema has more than {LARGEST_SCHEMA:,} parts with its references filled "
                "in, and each of them would be checked: refer to the same part less often",
            )
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
        reason = error.message[:300]
        if "retrieving it failed" in reason:
            reason = "it refers to another one, and nothing is fetched: put that one under $defs"
        elif reason.endswith('is not a "regex"'):
            reason += ": patterns run in linear time, without lookaround and backreferences"
        message = f"this is no JSON Schema: {reason}"
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
