"""`perdure executions resume`"""

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
def resume(server: Server, execution_id: str, json: bool) -> None:
    """Let a paused execution go on."""

    async def work(client: "Client") -> None:
        from perdure.cli.changed import show

        show(await client.resume(execution_id), json=json)

    server.ask(work, about=execution_id)
