"""`perdure executions list`"""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from perdure.cli.connecting import Server, as_json, asks_server
from perdure.cli.printing import write_json
from perdure.model.status import Status

if TYPE_CHECKING:
    from perdure.client import Client, ExecutionsPage

_ORDERS = (
    "-created_at",
    "created_at",
    "-started_at",
    "started_at",
    "-completed_at",
    "completed_at",
)
_LONGEST_PAGE = 200
_MOMENT = "MOMENT"


@click.command("list")
@click.option("--workflow", "workflow_id", metavar="ID", multiple=True, help="Of this workflow.")
@click.option(
    "--status", type=click.Choice([str(each) for each in Status]), multiple=True, help="In it now."
)
@click.option("--tag", "pairs", metavar="KEY=VALUE", multiple=True, help="With this tag.")
@click.option("--created-by", metavar="NAME", help="Started by whom.")
@click.option("--created-after", metavar=_MOMENT, help="2026-02-23T16:30, or 2h for 2 hours ago.")
@click.option("--created-before", metavar=_MOMENT)
@click.option("--started-after", metavar=_MOMENT)
@click.option("--started-before", metavar=_MOMENT)
@click.option("-q", "--text", "q", metavar="TEXT", help="With this text in its error or tags.")
@click.option(
    "--order", type=click.Choice(_ORDERS), help="- is the newest first.  [default: -created_at]"
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--all", "every", is_flag=True, help="All of them, whatever --limit says.")
@click.option("--total", is_flag=True, help="Tell on stderr how many there are.")
@as_json
@asks_server
def list_(
    server: Server, pairs: tuple[str, ...], limit: int, every: bool, total: bool, json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """List executions, the newest first.

    Several of --workflow or --status mean any of them, several of --tag all of them. With --json,
    an execution a line.
    """

    async def work(client: "Client") -> None:
        filters = _filters(pairs, given)
        left, shown = None if every else limit, 0
        cursor: str | None = None
        while True:
            size = _LONGEST_PAGE if left is None else min(left - shown, _LONGEST_PAGE)
            counted = total and cursor is None
            with _looking_further() if cursor and not json else nullcontext():
                page = await client.executions_page(
                    limit=size, cursor=cursor, total=counted, **filters
                )
            _show(page, json=json, header=not shown)
            if counted:
                _tell_total(page)
            shown += len(page.executions)
            cursor = page.next_cursor
            if cursor is None or shown == left:
                break
        if not json:
            _tell_rest(shown, more=cursor is not None)

    server.ask(work)


def _looking_further() -> AbstractContextManager[None]:
    from perdure.cli import people

    return people.busy("looking further")


def _filters(pairs: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    from perdure.cli.pairs import tags
    from perdure.cli.when import ago

    filters = {name: value for name, value in given.items() if value not in (None, ())}
    for name, value in filters.items():
        if name.endswith(("_after", "_before")):
            filters[name] = ago(f"--{name.replace('_', '-')}", value)
    return {**filters, "tags": tags(pairs)} if pairs else filters


def _show(page: "ExecutionsPage", *, json: bool, header: bool) -> None:
    if json:
        for head in page.executions:
            write_json(head)
        return
    from perdure.cli import people

    columns = ("EXECUTION", "STATUS", "WORKFLOW", "VERSION", "CREATED", "TOOK", "TAGS")
    rows = [
        (
            head.execution_id,
            people.status_text(head.status),
            head.workflow_id,
            head.workflow_version,
            people.local_time(head.created_at),
            people.took(head.started_at, head.completed_at),
            people.pairs_text(head.tags),
        )
        for head in page.executions
    ]
    if rows:
        people.console().print(people.table(columns, rows, header=header))


def _tell_total(page: "ExecutionsPage") -> None:
    least = "" if page.total_is_exact else ", at least"
    click.echo(f"in all{least}: {page.total}", err=True)


def _tell_rest(shown: int, *, more: bool) -> None:
    if more:
        click.echo("there are more: --limit N, or --all", err=True)
    elif not shown:
        click.echo("there are none", err=True)
