"""`perdure executions send`"""

from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_execution
from perdure.cli.printing import printable, write_json

if TYPE_CHECKING:
    from perdure.client import Client


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@click.argument("name", metavar="EVENT")
@click.option(
    "--data", metavar="VALUE", help="What is JSON is taken as JSON, the rest as text.  [none]"
)
@click.option("--event-id", metavar="ID", help="The same id again: received once.")
@as_json
@asks_server
def send(
    server: Server, execution_id: str, name: str, data: str | None, event_id: str | None, json: bool
) -> None:
    """Send an event to an execution, which gets it by wait_for_event, early or late."""

    async def work(client: "Client") -> None:
        from perdure.cli.inputs import json_or_text

        value = None if data is None else json_or_text(data)
        receipt = await client.send_event(execution_id, name, value, event_id=event_id)
        if json:
            write_json(receipt)
        else:
            before = " before" if receipt.duplicate else ""
            click.echo(f"{printable(execution_id)} has received {printable(name)}{before}")

    server.ask(work, about=execution_id)
