"""Output: JSON for programs, text for people."""

from typing import Any

import click

_CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)
}


def printable(text: str) -> str:
    """Text without the control characters that would move a terminal."""
    return text.translate(_CONTROLS)


def write_json(value: Any) -> None:
    """A value as one line of JSON."""
    import msgspec

    click.echo(msgspec.json.encode(value))
