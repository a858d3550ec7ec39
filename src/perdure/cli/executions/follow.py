"""`perdure executions follow`"""

import sys
from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_execution
from perdure.cli.printing import write_json

if TYPE_CHECKING:
    from perdure.client import Client


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@as_json
@asks_server
def follow(server: Server, execution_id: str, json: bool) -> None:
    """Show an execution while it runs, and exit as it ends.

    Its status, its tasks and its log are shown until it has ended, and then its result, as JSON:
    exits with 0 if it completed, 1 if it failed, 3 if it was cancelled. Ctrl-C stops following; the
    execution goes on. With --json, an event a line.
    """

    async def work(client: "Client") -> None:
        from perdure.cli import people, story

        ended = await story.follow(client, execution_id, None if json else people.console())
        code = story.exit_code(ended)
        if not code and not json:
            write_json(ended.result)
        sys.exit(code)

    server.ask(work, about=execution_id)
