"""`perdure workflows register`"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from perdure.cli.codes import USAGE
from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.mistakes import tell
from perdure.cli.printing import printable, write_json

if TYPE_CHECKING:
    from perdure.client import Client, WholeWorkflow


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@as_json
@asks_server
def register(server: Server, files: tuple[str, ...], json: bool) -> None:
    """Register each FILE, a document of the Open Workflow Specification; - is stdin.

    It is kept by the server and can be executed from then on; registering it again changes
    nothing. Every problem of a document is told, and the other files are registered all the same.
    """

    async def work(client: "Client") -> None:
        from perdure.client import ConflictError, RefusedInputError

        refused = False
        for file in files:
            try:
                workflow = await client.register_workflow(_text_of(file))
            except (RefusedInputError, ConflictError) as error:
                refused = True
                problems = ((each.location, each.message) for each in error.errors)
                tell(f"{file}: {error.detail}", problems)
            else:
                _show(workflow, json=json)
        if refused:
            sys.exit(USAGE)

    server.ask(work)


def _text_of(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    return Path(file).read_bytes()


def _show(workflow: "WholeWorkflow", *, json: bool) -> None:
    named = f"{workflow.workflow_id} {workflow.version}"
    if json:
        write_json(workflow)
    else:
        click.echo(f"{printable(named)} is registered")
    if workflow.unsupported:
        tell(f"{named} cannot be executed yet: {'; '.join(workflow.unsupported)}")
