"""`perdure workflows execute`"""

import sys
from typing import TYPE_CHECKING, Any

import click

from perdure.cli.connecting import LONG_PATIENCE, Server, as_json, asks_server
from perdure.cli.ids import complete_workflow
from perdure.cli.mistakes import tell
from perdure.cli.printing import printable, write_json
from perdure.model.exceptions import UsageError

if TYPE_CHECKING:
    from perdure.client import Client, Whole


@click.command()
@click.argument("workflow_id", metavar="ID", shell_complete=complete_workflow)
@click.option(
    "--input",
    "pairs",
    metavar="NAME=VALUE",
    multiple=True,
    help="An input; what is JSON is taken as JSON, the rest as text.  [repeatable]",
)
@click.option(
    "--inputs", "inputs_file", metavar="FILE", help="A JSON object of inputs; - is stdin."
)
@click.option("--version", metavar="VERSION", help="Which one.  [default: the highest release]")
@click.option("--tag", "tag_pairs", metavar="KEY=VALUE", multiple=True, help="[repeatable]")
@click.option(
    "--priority", type=click.IntRange(-1000, 1000), help="Higher ones begin earlier.  [default: 0]"
)
@click.option("--start-at", metavar="MOMENT", help="2026-02-23T16:30, or 2h for in 2 hours.")
@click.option("--timeout", metavar="DURATION", help="Of all of it, such as 1h30m.")
@click.option(
    "--idempotency-key", metavar="KEY", help="The same key and inputs: the same execution."
)
@click.option("--wait/--no-wait", help="Wait for the end; print the result.  [default: --no-wait]")
@click.option("--follow", is_flag=True, help="--wait, and show progress and log on stderr.")
@as_json
@asks_server
def execute(
    server: Server, workflow_id: str, pairs: tuple[str, ...], inputs_file: str | None,
    tag_pairs: tuple[str, ...], start_at: str | None, wait: bool, follow: bool, json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Start an execution of the workflow ID, and print the execution's id.

    With --wait or --follow, print its result as JSON when it has completed, and exit with 0; with
    1 if it failed, 3 if it was cancelled. Ctrl-C stops the waiting; the execution goes on. With
    --json, print the execution in place of its id or result.
    """

    async def work(client: "Client") -> None:
        import msgspec

        from perdure.cli.inputs import gathered
        from perdure.cli.pairs import tags
        from perdure.cli.when import ahead

        inputs = msgspec.json.decode(gathered(inputs_file, pairs))
        options["tags"] = tags(tag_pairs) or None
        options["start_at"] = ahead("--start-at", start_at)
        try:
            head = await client.execute(workflow_id, inputs, **options)
        except UnicodeEncodeError:
            raise
        except ValueError as error:
            raise UsageError(str(error)) from None
        if wait or follow:
            ended = await _ended(client, head.execution_id, follow=follow)
            _show_end(ended, json=json, told=follow)
        if json:
            write_json(head)
            return
        click.echo(printable(head.execution_id))
        if sys.stdout.isatty():
            more = f"perdure executions follow {head.execution_id}"
            click.echo(f"it is {head.status}; {more} shows how it goes on", err=True)

    server.ask(work, about=workflow_id)


async def _ended(client: "Client", execution_id: str, *, follow: bool) -> "Whole":
    import asyncio

    from perdure.cli import people, story

    if follow:
        return await story.follow(client, execution_id, people.console(stderr=True))
    client.keep_trying_for(LONG_PATIENCE)
    try:
        with people.busy(f"waiting for {printable(execution_id)}"):
            return await client.wait(execution_id, check=False)
    except asyncio.CancelledError:
        tell(f"stopped waiting for {execution_id}, which goes on")
        raise


def _show_end(execution: "Whole", *, json: bool, told: bool) -> None:
    """Print the end, and exit as it was; `told` is whether stderr has it already."""
    from perdure.cli import decoded, people, story
    from perdure.cli.progress import Progress

    code = story.exit_code(execution)
    if not told and (code or not json):
        Progress(people.console(stderr=True)).ended(decoded.execution(execution))
    if json:
        write_json(execution)
    elif not code:
        write_json(execution.result)
    sys.exit(code)
