"""`perdure executions logs`"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, get_args

import click

from perdure.cli.connecting import LONG_PATIENCE, Server, as_json, asks_server
from perdure.cli.ids import complete_execution
from perdure.cli.mistakes import tell
from perdure.cli.printing import write_json
from perdure.model.exceptions import UsageError
from perdure.model.execution import Level

if TYPE_CHECKING:
    from perdure.client import Client, LogRecord

_LEVELS = click.Choice(get_args(Level), case_sensitive=False)
_MOMENT = "MOMENT"


@click.command()
@click.argument("execution_id", metavar="ID", shell_complete=complete_execution)
@click.option("-f", "--follow", is_flag=True, help="Go on until the execution has ended.")
@click.option("-n", "--tail", type=click.IntRange(1), metavar="N", help="The newest N lines only.")
@click.option("--level", type=_LEVELS, multiple=True, help="Of this level.  [repeatable]")
@click.option("--min-level", type=_LEVELS, help="Of this level and above.")
@click.option("--task", metavar="TASK", help="Of this task: its name, or its position.")
@click.option("--since", metavar=_MOMENT, help="2026-02-23T16:30, or 2h for 2 hours ago.")
@click.option("--until", metavar=_MOMENT)
@click.option("-q", "--text", "q", metavar="TEXT", help="With this text in the message.")
@click.option("-o", "--output", metavar="FILE", help="Download into FILE; - is stdout.")
@click.option(
    "--format", type=click.Choice(("text", "json", "ndjson")), help="Of the download.  [text]"
)
@as_json
@asks_server
def logs(
    server: Server, execution_id: str, follow: bool, tail: int | None, output: str | None,
    format: Any, json: bool, **given: Any,
) -> None:  # fmt: skip
    """Show the log of an execution, the oldest lines first.

    With --json, a record a line. Ctrl-C while following stops that, not the execution.
    """

    async def work(client: "Client") -> None:
        filters = _filters(given)
        if output is not None or format is not None:
            if follow or tail is not None or json:
                raise UsageError("--output and --format take no --follow, --tail or --json")
            from perdure.cli.downloading import download

            await download(client, execution_id, output or "-", format or "text", filters)
        elif follow:
            await _follow(client, execution_id, tail, filters, json=json)
        elif tail is not None:
            await _show(_each(await _newest(client, execution_id, tail, filters)), json=json)
        else:
            await _show(client.logs(execution_id, **filters), json=json)

    server.ask(work, about=execution_id)


async def _follow(
    client: "Client", execution_id: str, tail: int | None, filters: dict[str, Any], *, json: bool
) -> None:
    import asyncio

    try:
        if tail is None:
            client.keep_trying_for(LONG_PATIENCE)
            await _show(client.follow_logs(execution_id, **filters), json=json)
            return
        newest = await _newest(client, execution_id, tail, filters)
        client.keep_trying_for(LONG_PATIENCE)
        first = newest[0].seq if newest else 0
        following = client.follow_logs(execution_id, **filters)
        await _show((each async for each in following if each.seq >= first), json=json)
    except asyncio.CancelledError:
        tell(f"stopped following {execution_id}, which goes on")
        raise


async def _newest(
    client: "Client", execution_id: str, count: int, filters: dict[str, Any]
) -> list["LogRecord"]:
    """The newest records, the oldest of them first."""
    found: list[LogRecord] = []
    async for record in client.logs(execution_id, newest_first=True, **filters):
        found.append(record)
        if len(found) == count:
            break
    return found[::-1]


async def _each(records: list["LogRecord"]) -> AsyncIterator["LogRecord"]:
    for record in records:
        yield record


async def _show(records: AsyncIterator["LogRecord"], *, json: bool) -> None:
    if json:
        async for record in records:
            write_json(record)
        return
    from perdure.cli import people
    from perdure.cli.decoded import log_record
    from perdure.cli.progress import log_line

    console = people.console()
    async for record in records:
        console.print(log_line(log_record(record), dated=True))


def _filters(given: dict[str, Any]) -> dict[str, Any]:
    from perdure.cli.when import ago

    filters = {name: value for name, value in given.items() if value not in (None, ())}
    for name in ("since", "until"):
        if name in filters:
            filters[name] = ago(f"--{name}", filters[name])
    return filters
