"""Inputs from the command line: `--inputs FILE` and, on top of it, `--input NAME=VALUE`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from perdure.model.encoding import encode
from perdure.model.exceptions import UsageError


def gathered(file: str | None, pairs: Sequence[str]) -> bytes:
    """The inputs as a JSON object. Raises UsageError, or EncodingError, for what is none."""
    inputs = {} if file is None else _from_file(file)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--input {pair!r}: a name and a value are expected, such as --input city=Seattle"
            )
        inputs[name] = json_or_text(text)
    return encode(inputs, "the inputs")


def json_or_text(text: str) -> Any:
    """A value as it is given on a command line: JSON where it is some, else the text itself."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return text


def _from_file(file: str) -> dict[str, Any]:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        inputs = msgspec.json.decode(content)
    except OSError as error:
        raise UsageError(f"--inputs {file}: cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"--inputs {file}: is not JSON: {error}") from None
    if not isinstance(inputs, dict):
        raise UsageError(f'--inputs {file}: a JSON object is expected, such as {{"city": "Oslo"}}')
    return inputs
