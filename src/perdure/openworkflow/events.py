"""Events as CloudEvents 1.0 has them, whatever expressions have made of their attributes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from perdure.model import failure as failures
from perdure.openworkflow import formats
from perdure.openworkflow.errors import WorkflowError

VERSION: Final = "1.0"
_REQUIRED = ("id", "source", "type")
_TEXTS = frozenset({"specversion", *_REQUIRED, "time", "subject", "datacontenttype", "dataschema"})
_PAYLOAD = ("data", "data_base64")
_NAME = re.compile("[a-z0-9]+")
_LONGEST_INTEGER = 2**31


def event(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The event with these attributes; those that are null are left out, but for its data.

    Raises WorkflowError (expression) where they make no event (CloudEvents 1.0, sections 2 and 3).
    """
    made = {
        name: value for name, value in attributes.items() if value is not None or name in _PAYLOAD
    }
    for name in _REQUIRED:
        if name not in made:
            raise _refused(f"an event needs its {name}, which is null")
    for name, value in made.items():
        if name in _TEXTS:
            if not isinstance(value, str) or not value:
                raise _refused(f"an event's {name} has to be a text that is not empty")
        elif name not in _PAYLOAD:
            _check_extension(name, value)
    if made["specversion"] != VERSION:
        raise _refused(f"an event's specversion is {VERSION}: leave it out")
    if not formats.is_moment(made.get("time", "1970-01-01T00:00:00Z")):
        raise _refused("an event's time has to be a date and time such as 2024-05-01T12:00:00Z")
    for name in ("source", "dataschema"):
        if not formats.is_location(made.get(name, "/")):
            raise _refused(f"an event's {name} has to be a URI")
    return made


def _check_extension(name: str, value: Any) -> None:
    if not _NAME.fullmatch(name):
        raise _refused(
            f"an event's attribute cannot be called {name!r:.100}: names are of lower-case letters "
            "and digits"
        )
    if isinstance(value, int) and -_LONGEST_INTEGER <= value < _LONGEST_INTEGER:
        return
    if not isinstance(value, str):
        raise _refused(
            f"an event's attribute {name:.100} has to be a text, a boolean or an integer of 32 "
            "bits: what is larger belongs into data"
        )


def _refused(detail: str) -> WorkflowError:
    return WorkflowError(failures.expression(detail))
