"""`perdure workflows list`"""

from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.mistakes import tell
from perdure.cli.printing import write_json

if TYPE_CHECKING:
    from perdure.client import Client, Workflow


@click.command("list")
@click.option("--retired", is_flag=True, help="Also those that were retired.")
@as_json
@asks_server
def list_(server: Server, retired: bool, json: bool) -> None:
    """List what can be executed, each in its highest version.

    What could not be loaded is told on stderr. With --json, a workflow a line.
    """

    async def work(client: "Client") -> None:
        header, problems = True, list[str]()
        async for page in client.workflows_pages(retired=retired):
            problems = page.problems
            if json:
                for workflow in page.workflows:
                    write_json(workflow)
            elif page.workflows:
                _show(page.workflows, header=header)
            elif header:
                click.echo("there are none", err=True)
            header = False
        for problem in problems:
            tell(f"not loaded: {problem}")

    server.ask(work)


def _show(found: "list[Workflow]", *, header: bool) -> None:
    from perdure.cli import people

    columns = ("WORKFLOW", "VERSION", "KIND", "INPUTS", "TITLE")
    rows = [
        (
            each.workflow_id,
            each.version + (" (retired)" if each.retired_at else ""),
            each.kind,
            " ".join(people.input_names(each.input_schema)),
            each.title,
        )
        for each in found
    ]
    people.console().print(people.table(columns, rows, header=header))
