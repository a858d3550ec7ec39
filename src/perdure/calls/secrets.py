"""Secrets from the environment of the server: ``PERDURE_SECRET_<NAME>``.

The variable's name is the secret's in capitals, with ``-`` and ``.`` as ``_``. A value that is a
JSON object is that object; any other is text. An empty variable counts as not set.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import FailedError

PREFIX = "PERDURE_SECRET_"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class EnvironmentSecrets:
    """Implements `ports.calls.Secrets`. What is set later is not seen."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {
            name: _value(text) for name, text in environ.items() if name.startswith(PREFIX) and text
        }

    def get(self, name: str) -> Any:
        """The value of a secret: an object or a text. Raises FailedError (authorization)."""
        if not _NAME.fullmatch(name):
            raise _missing(name, "a name has letters, digits, '-', '.' and '_'")
        variable = PREFIX + name.upper().replace("-", "_").replace(".", "_")
        if variable not in self._values:
            raise _missing(name, f"set {variable} in the environment of the server")
        return self._values[variable]


def _value(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _missing(name: str, what_to_do: str) -> FailedError:
    detail = f"there is no secret {name[:200]!r}: {what_to_do}"
    return FailedError(failures.authorization(detail, "There is no such secret"))
