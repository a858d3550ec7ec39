"""What a command says of an execution that it has changed."""

import click

from perdure.cli.printing import printable, write_json
from perdure.wire.executions import Head


def show(head: Head, *, json: bool) -> None:
    """The execution as it is now: its head as JSON, or a line."""
    if json:
        write_json(head)
        return
    click.echo(f"{printable(head.execution_id)} is {head.status}")
