"""Requests over HTTP, as documents say them: what is evaluated when.

What mentions no secret is evaluated in the program, and recorded as the input of the call. What
mentions `$secrets` or `$authorization`, and all authentication that is not constant, travels
unevaluated: the record has the values that it is evaluated for, and what they result in exists
only where the call is made.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from perdure.model import failure as failures
from perdure.openworkflow.errors import WorkflowError


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """What late fields are evaluated for: the task's input, and the arguments that they mention."""

    value: Any = None
    arguments: dict[str, Any] = {}


class Prepared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The recorded input of a call: the fields that are evaluated already."""

    method: str
    uri: str = ""
    headers: dict[str, str] | None = None
    query: dict[str, str | list[str]] | None = None
    body: Any = msgspec.UNSET
    late: Late | None = None


def uri_of(value: Any) -> str:
    """A URI. Raises WorkflowError (expression) for what is no text."""
    if not isinstance(value, str):
        raise WorkflowError(failures.expression("the endpoint has to be a string, a URI"))
    return value


def headers_of(value: Any) -> dict[str, str]:
    """Headers as they are sent; those that are null are left out.

    Raises WorkflowError (expression) for what are none.
    """
    return {
        name: _text(each, f"header {name}")
        for name, each in _entries(value, "headers")
        if each is not None
    }


def query_of(value: Any) -> dict[str, str | list[str]]:
    """Query parameters as they are sent; those that are null are left out.

    Raises WorkflowError (expression) for what are none.
    """
    return {
        name: [_text(item, f"query parameter {name}") for item in each]
        if isinstance(each, list)
        else _text(each, f"query parameter {name}")
        for name, each in _entries(value, "query")
        if each is not None
    }


def texts_in(value: Any) -> Iterator[str]:
    """Every text within a value, numbers as they are written."""
    for leaf in _leaves(value):
        if leaf is not None and not isinstance(leaf, bool):
            yield _text(leaf, "")


def strings_in(value: Any) -> Iterator[str]:
    """Every string within a value; names of properties are none."""
    return (leaf for leaf in _leaves(value) if isinstance(leaf, str))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value


def _entries(value: Any, what: str) -> list[tuple[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise WorkflowError(failures.expression(f"the {what} have to be an object"))
    return list(value.items())


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise WorkflowError(failures.expression(f"{what} has to be text, not an object or array"))
    return msgspec.json.encode(value).decode()
