"""What texts of a document must look like, where its schema says so."""

import re
from datetime import date

from perdure.openworkflow.expressions import is_expression

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMANTIC_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_HOST = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?")
_AMOUNT = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(
    rf"P(?=.)(?:({_AMOUNT})Y)?(?:({_AMOUNT})M)?(?:({_AMOUNT})W)?(?:({_AMOUNT})D)?"
    rf"(?:T(?=[0-9])(?:({_AMOUNT})H)?(?:({_AMOUNT})M)?(?:({_AMOUNT})S)?)?"
)
_DAY_MS = 86_400_000
_DURATION_UNITS_MS = (365 * _DAY_MS, 30 * _DAY_MS, 7 * _DAY_MS, _DAY_MS, 3_600_000, 60_000, 1_000)
LONGEST_DURATION_MS = 100 * 366 * _DAY_MS
"""How long a duration may be."""
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
    r"(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
# RFC 6570, sections 2.1 to 2.3 with erratum 6937 (an apostrophe is a literal): literals, and
# expressions of variables with modifiers. Every URI reference (RFC 3986) is such a template.
_LITERAL = r"[!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + (
    "\U00010000-\U0010fffd]"
)
_ENCODED = "%[0-9a-fA-F]{2}"
_VARIABLE_CHARACTER = rf"(?:[A-Za-z0-9_]|{_ENCODED})"
_VARIABLE = rf"{_VARIABLE_CHARACTER}(?:\.?{_VARIABLE_CHARACTER})*(?:\*|:[1-9][0-9]{{0,3}})?"
_TEMPLATE = re.compile(
    rf"(?:{_LITERAL}|{_ENCODED}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
)
_LOCATION = re.compile(
    r"(?!\s*\$\{)(?=\S)(?:[^:/?#]+:)?(?://[^/?#\s]*)?[^?#\s]*(?:\?[^#\s]*)?(?:#\S*)?"
)


def is_semantic_version(text: str) -> bool:
    """Semantic Versioning 2.0.0: ``1.0.3``, ``2.0.0-rc.1``."""
    return _SEMANTIC_VERSION.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """A name of a workflow or namespace: 1 to 63 ASCII letters, digits and inner hyphens."""
    return _NAME.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """A host's name or IPv4 address."""
    return _HOST.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    """An ISO 8601 duration or a runtime expression."""
    return _DURATION.fullmatch(text) is not None or is_expression(text)


def duration_ms(text: str) -> float:
    """The length of an ISO 8601 duration. A year has 365 days and a month 30.

    Raises ValueError for what is none.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no ISO 8601 duration")
    amounts = zip(match.groups(), _DURATION_UNITS_MS, strict=True)
    return sum(float(amount) * unit for amount, unit in amounts if amount is not None)


def is_location(text: str) -> bool:
    """A URI template (RFC 6570) or URI reference (RFC 3986), and no runtime expression."""
    return _LOCATION.fullmatch(text) is not None and is_template(text)


def is_template(text: str) -> bool:
    """A URI template (RFC 6570)."""
    return _TEMPLATE.fullmatch(text) is not None


def is_location_or_expression(text: str) -> bool:
    """A URI template, URI reference or runtime expression."""
    return is_expression(text) or is_location(text)


def is_pointer_or_expression(text: str) -> bool:
    """A JSON pointer (RFC 6901) or a runtime expression."""
    return is_expression(text) or _POINTER.fullmatch(text) is not None


def is_moment_or_expression(text: str) -> bool:
    """A date and time (RFC 3339) or a runtime expression."""
    return is_expression(text) or is_moment(text)


def is_moment(text: str) -> bool:
    """A date and time (RFC 3339)."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def is_json_schema(format: object) -> bool:
    """Whether a schema's format is JSON Schema: ``json``, or ``json:`` and a version."""
    return isinstance(format, str) and format.partition(":")[0] == "json"
