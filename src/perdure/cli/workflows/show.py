"""`perdure workflows show`"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.ids import complete_workflow
from perdure.cli.printing import printable, write_json

if TYPE_CHECKING:
    from perdure.client import Client, WholeWorkflow

_LONGEST_VALUE = 10_000


@click.command()
@click.argument("workflow_id", metavar="ID", shell_complete=complete_workflow)
@click.option("--version", metavar="VERSION", help="Which one.  [default: that which is executed]")
@click.option("--source", is_flag=True, help="Its source alone.")
@as_json
@asks_server
def show(server: Server, workflow_id: str, version: str | None, source: bool, json: bool) -> None:
    """Show a workflow: its versions, inputs and source."""

    async def work(client: "Client") -> None:
        workflow = await client.workflow(workflow_id, version)
        if json:
            write_json(workflow)
            return
        if source:
            click.echo(printable(workflow.source or ""))
            return
        from perdure.cli import people

        versions = [each.version async for each in client.versions(workflow_id)]
        people.console().print(people.facts(_facts(workflow, versions)))

    server.ask(work, about=workflow_id)


def _facts(workflow: "WholeWorkflow", versions: list[str]) -> Iterator[tuple[str, str]]:
    from perdure.cli import people
    from perdure.model.durations import text

    yield "workflow", workflow.workflow_id
    if workflow.title:
        yield "title", workflow.title
    yield "version", workflow.version
    yield "versions", " ".join(versions)
    yield "kind", workflow.kind
    if workflow.retired_at:
        yield "retired", people.local_time(workflow.retired_at)
    if workflow.timeout_ms is not None:
        yield "timeout", text(workflow.timeout_ms)
    if workflow.tags:
        yield "tags", people.pairs_text(workflow.tags)
    if workflow.unsupported:
        yield "not executed", "; ".join(workflow.unsupported)
    yield "input schema", people.value_text(workflow.input_schema, _LONGEST_VALUE)
    if workflow.source:
        yield "source", "perdure workflows show --source has it"
