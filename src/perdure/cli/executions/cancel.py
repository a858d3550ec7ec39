"""`perdure executions cancel`"""

from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_execution

if TYPE_CHECKING:
    from perdure.client import Client


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@as_json
@asks_server
def cancel(server: Server, execution_id: str, json: bool) -> None:
    """Ask for an execution to be cancelled; its cleanup may take a while."""

    async def work(client: "Client") -> None:
        from perdure.cli.changed import show

        head = await client.cancel(execution_id)
        show(head, json=json)
        if not head.status.ended and not json:
            more = f"perdure executions follow {head.execution_id}"
            click.echo(f"it is being cancelled; {more} shows its end", err=True)

    server.ask(work, about=execution_id)
