"""An execution that is watched: the log, line by line, and below it what runs now."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from perdure.cli.printing import printable
from perdure.model.execution import Execution, Level, LogRecord
from perdure.model.status import Status

_STYLES: dict[Level, str] = {"INFO": "cyan", "WARNING": "yellow", "ERROR": "bold red"}
_ENDS = {Status.COMPLETED: "green", Status.CANCELLED: "yellow"}


class Progress:
    """Shows an execution while it runs: with a moving line at a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots", text="starting")
        self._shown: tuple[tuple[str, int], ...] = ()
        self._status: Status | None = None

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the moving line meanwhile, where there is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(self._spinner, console=self._console, transient=True, refresh_per_second=12):
            yield

    def log(self, record: LogRecord) -> None:
        """Show a line of the log."""
        self._console.print(log_line(record))

    def status(self, execution: Execution) -> None:
        """Show the status where it has changed, but for an end: see `ended`."""
        status = execution.head.status
        if status is not self._status and not status.ended:
            self._status = status
            self._console.print(Text(f"{execution.head.execution_id} is {status}", style="bold"))

    def tasks(self, execution: Execution) -> None:
        """Show what runs now, or what is waited for."""
        running = tuple((task.name, task.attempt) for task in execution.current_tasks)
        if running:
            doing = ", ".join(
                name if attempt == 1 else f"{name} (attempt {attempt})" for name, attempt in running
            )
        elif execution.waiting_for:
            doing = "waiting for " + ", ".join(
                wait.name or wait.kind for wait in execution.waiting_for
            )
        else:
            doing = str(execution.head.status)
        self._spinner.update(text=Text(printable(doing), overflow="ellipsis", no_wrap=True))
        if running != self._shown:
            self._shown = running
            if running and not self._console.is_terminal:
                self._console.print(Text(f"running: {printable(doing)}"))

    def ended(self, execution: Execution) -> None:
        """Show how it ended."""
        head = execution.head
        took = ""
        if head.started_at is not None and head.completed_at is not None:
            took = f" after {(head.completed_at - head.started_at) / 1000:.3f} s"
        style = _ENDS.get(head.status, "bold red")
        self._console.print(Text(f"{head.execution_id} {head.status}{took}", style=style))
        if execution.error is not None:
            where = f"at {execution.error.instance}: " if execution.error.instance else ""
            self._console.print(Text(f"  {where}{printable(str(execution.error))}", style="red"))


def log_line(record: LogRecord, *, dated: bool = False) -> Text:
    """A record as a line: its time on the clock of this place, its level, task and message."""
    at = datetime.fromtimestamp(record.timestamp / 1000).astimezone()
    shown = f"{at:%Y-%m-%d %H:%M:%S}" if dated else f"{at:%H:%M:%S}"
    return Text.assemble(
        (f"{shown}.{record.timestamp % 1000:03d} ", "dim"),
        (f"{record.level:7} ", _STYLES[record.level]),
        (f"[{printable(record.task)}] " if record.task else "", "magenta"),
        printable(record.message).replace("\n", "\n    "),
    )
