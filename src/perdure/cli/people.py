"""Output for people: a console, tables, times and values as they read them.

Colours and moving lines are for terminals; `NO_COLOR` turns colours off. Where the output is no
terminal nothing is cut off or wrapped.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
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
    """A console that leaves a broken pipe to the command, and long lines to the terminal."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """The console of stdout, or of stderr."""
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _BEYOND_ANY_LINE
    return made


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """Show on stderr that something takes its time, where that is a terminal."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield
        return
    with shown.status(doing):
        yield


def style_of(status: Status) -> str:
    """The colour of a status."""
    return _STYLES[status]


def status_text(status: Status) -> Text:
    """A status in its colour."""
    return Text(str(status), style=_STYLES[status])


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, header: bool = True) -> Text:
    """Columns as wide as they have to be, the last one as long as it is: a line for each row."""
    lines = [[Text(name, style="bold") for name in columns]] if header else []
    lines += [[_cell(each) for each in row] for row in rows]
    for column in list(zip(*lines, strict=True))[:-1]:
        width = max(cell.cell_len for cell in column)
        for cell in column:
            cell.pad_right(width - cell.cell_len)
    return Text("\n").join(Text("  ").join(line) for line in lines)


def facts(pairs: Iterable[tuple[str, Cell]]) -> Text:
    """Names and what is known under them, one to a line."""
    return table(
        ("", ""), [(Text(name, style="dim"), value) for name, value in pairs], header=False
    )


def _cell(value: Cell) -> Text:
    """A cell in one line."""
    return Text(" ".join(printable(value).split("\n"))) if isinstance(value, str) else value.copy()


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
