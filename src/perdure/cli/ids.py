"""Ids: those that are similar to one that is not known, and those that complete a beginning.

Both ask the server once, for the newest executions or the first workflows, and are content with
what there is.
"""

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from perdure.client import Client

_SHOWN = 3
_LONGEST = 256
_NEWEST = 200


async def similar_ids(client: "Client", code: str, unknown: str) -> list[str]:
    """Up to three ids that may have been meant, of those that a problem with this code is about."""
    from perdure.client import ClientError

    try:
        known = await _known(client, code.removeprefix("unknown_"))
    except ClientError:
        return []
    begun = [each for each in known if unknown and each.startswith(unknown)]
    near = get_close_matches(unknown[:_LONGEST], known, n=_SHOWN, cutoff=0.8)
    return list(islice(dict.fromkeys([*begun, *near]), _SHOWN))


def complete_execution(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The newest executions whose ids begin so."""
    return _completing(ctx, "execution", incomplete)


def complete_workflow(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Workflows whose ids begin so."""
    return _completing(ctx, "workflow", incomplete)


def _completing(ctx: click.Context, kind: str, incomplete: str) -> list[str]:
    from perdure.cli.connecting import Server

    found: list[str] = []

    async def work(client: "Client") -> None:
        found.extend(await _known(client, kind))

    Server(ctx.params.get("url"), ctx.params.get("token_file")).try_to_ask(work)
    return [each for each in found if each.startswith(incomplete)]


async def _known(client: "Client", kind: str) -> list[str]:
    if kind == "execution":
        page = await client.executions_page(limit=_NEWEST)
        return [each.execution_id for each in page.executions]
    if kind == "workflow":
        async for found in client.workflows_pages():
            return [each.workflow_id for each in found.workflows]
    return []
