"""Output for people: a console, tables, times and values as they read them.

Colours and moving lines are for terminals; `NO_COLOR` turns colours off. Where the output is no
terminal nothing is cut off or wrapped.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from perdure.cli.printing import printable
from perdure.model.durations import text as duration
from perdure.model.status import Status

_BEYOND_ANY_LINE = 100_000
_STYLES = {
    Status.PENDING: "dim",
    Status.RUNNING: "cyan",
    Status.PAUSED: "magenta",
    Status.COMPLETED: "green",
    Status.FAILED: "bold red",
    Status.CANCELLED: "yellow",
}
Cell = str | Text


class _Console(Console):
    """A console that leaves a broken pipe to the command."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """The console of stdout, or of stderr."""
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _BEYOND_ANY_LINE
    return made


def style_of(status: Status) -> str:
    """The colour of a status."""
    return _STYLES[status]


def status_text(status: Status) -> Text:
    """A status in its colour."""
    return Text(str(status), style=_STYLES[status])


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, header: bool = True) -> Table:
    """A table without lines. The last column takes what room there is, in as many lines."""
    made = Table(box=None, show_header=header, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        last = index == len(columns) - 1
        made.add_column(name, overflow="fold", no_wrap=not last)
    for row in rows:
        made.add_row(*(Text(printable(each)) if isinstance(each, str) else each for each in row))
    return made


def facts(pairs: Iterable[tuple[str, Cell]]) -> Table:
    """Names and what is known under them, one to a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style=Style(dim=True), no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, Text(printable(value)) if isinstance(value, str) else value)
    return made


def local_time(moment: str | None) -> str:
    """A moment of the API to the second, on the clock of this place."""
    if moment is None:
        return "-"
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"


def took(started_at: str | None, ended_at: str | None) -> str:
    """How long something took."""
    if started_at is None or ended_at is None:
        return "-"
    length = datetime.fromisoformat(ended_at) - datetime.fromisoformat(started_at)
    return duration(max(0, round(length.total_seconds() * 1000)))


def pairs_text(tags: dict[str, str]) -> str:
    """Tags as they are written on the command line."""
    return " ".join(f"{key}={value}" for key, value in tags.items())


def value_text(value: Any, longest: int) -> str:
    """A value as JSON, cut off beyond `longest` characters."""
    written = msgspec.json.encode(value).decode()
    if len(written) <= longest:
        return written
    return f"{written[:longest]}… ({len(written):,} characters; --json shows all)"


def input_names(schema: Any) -> list[str]:
    """The inputs that a schema names; those that may be left out in brackets."""
    schema = schema if isinstance(schema, dict) else {}
    properties, required = schema.get("properties"), schema.get("required")
    needed = required if isinstance(required, list) else []
    names = properties if isinstance(properties, dict) else {}
    return [name if name in needed else f"[{name}]" for name in names]
