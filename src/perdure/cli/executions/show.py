"""`perdure executions show`"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_execution
from perdure.cli.printing import printable, write_json

if TYPE_CHECKING:
    from perdure.cli.people import Cell
    from perdure.client import Client, Whole

_LONGEST_VALUE = 2_000


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@click.option(
    "--logs",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    help="How many of the newest log lines.",
)
@as_json
@asks_server
def show(server: Server, execution_id: str, logs: int, json: bool) -> None:
    """Show an execution: how it stands, what it does or why it failed, and its newest log lines."""

    async def work(client: "Client") -> None:
        execution = await client.execution(execution_id, logs=logs)
        if json:
            write_json(execution)
        else:
            _show(execution)

    server.ask(work, about=execution_id)


def _show(execution: "Whole") -> None:
    from rich.text import Text

    from perdure.cli import people
    from perdure.cli.decoded import log_record
    from perdure.cli.progress import log_line

    console = people.console()
    ended = people.took(execution.started_at, execution.completed_at)
    how = f" after {ended}" if execution.status.ended and ended != "-" else ""
    console.print(
        Text.assemble(
            (printable(execution.execution_id), "bold"),
            " ",
            (f"{execution.status}{how}", people.style_of(execution.status)),
        )
    )
    console.print(people.facts(_facts(execution)))
    if execution.logs:
        console.print()
        for record in execution.logs:
            console.print(log_line(log_record(record), dated=True))


def _facts(execution: "Whole") -> Iterator[tuple[str, "Cell"]]:
    from rich.text import Text

    from perdure.cli import people

    error = execution.error
    if error is not None:
        said = f"{error.title}: {error.detail}" if error.detail else error.title
        yield "error", Text(printable(said), style="red")
        if error.instance:
            yield "at", error.instance
    for task in execution.current_tasks:
        attempt = f", attempt {task.attempt}" if task.attempt > 1 else ""
        yield "running", f"{task.name}{attempt}, since {people.local_time(task.started_at)}"
    for wait in execution.waiting_for:
        until = f" until {people.local_time(wait.until)}" if wait.until else ""
        named = f" {wait.name}" if wait.name else ""
        since = people.local_time(wait.since)
        yield "waiting for", f"{wait.kind}{named}{until}, since {since}"
    yield "workflow", f"{execution.workflow_id}, version {execution.workflow_version}"
    by = f" by {execution.created_by}" if execution.created_by else ""
    yield "created", people.local_time(execution.created_at) + by
    yield "started", people.local_time(execution.started_at)
    yield "ended", people.local_time(execution.completed_at)
    if execution.paused_at:
        yield "paused", people.local_time(execution.paused_at)
    if execution.cancel_requested_at:
        yield "cancel asked", people.local_time(execution.cancel_requested_at)
    if execution.attempt > 1:
        yield "run", str(execution.attempt)
    if execution.tags:
        yield "tags", people.pairs_text(execution.tags)
    yield "inputs", people.value_text(execution.inputs, _LONGEST_VALUE)
    if execution.result is not None:
        yield "result", people.value_text(execution.result, _LONGEST_VALUE)
