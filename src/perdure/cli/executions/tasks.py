"""`perdure executions tasks`"""

from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_execution
from perdure.cli.printing import write_json

if TYPE_CHECKING:
    from perdure.client import Client, TaskRun

_STYLES = {"completed": "green", "failed": "bold red", "cancelled": "yellow", "running": "cyan"}
_ROWS_AT_ONCE = 100


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@as_json
@asks_server
def tasks(server: Server, execution_id: str, json: bool) -> None:
    """List the tasks of an execution in the order of their starts.

    With --json, a task a line, with its input, output and error.
    """

    async def work(client: "Client") -> None:
        found: list[TaskRun] = []
        header = True
        async for task in client.tasks(execution_id):
            if json:
                write_json(task)
                continue
            found.append(task)
            if len(found) == _ROWS_AT_ONCE:
                _show(found, header=header)
                found, header = [], False
        if found:
            _show(found, header=header)
        elif header and not json:
            click.echo("there are none", err=True)

    server.ask(work, about=execution_id)


def _show(found: "list[TaskRun]", *, header: bool) -> None:
    import msgspec
    from rich.text import Text

    from perdure.cli import people

    columns = ("STARTED", "TASK", "STATUS", "ATTEMPT", "TOOK", "POSITION", "ERROR")
    rows = [
        (
            people.local_time(task.started_at),
            task.name,
            Text(task.status, style=_STYLES.get(task.status, "")),
            str(task.attempt),
            people.took(task.started_at, task.completed_at),
            task.position,
            "" if task.error is msgspec.UNSET else task.error.detail or task.error.title,
        )
        for task in found
    ]
    people.console().print(people.table(columns, rows, header=header))
