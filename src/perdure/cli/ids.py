"""Ids: those that are similar to one that is not known, and those that complete a beginning."""

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perdure.client import Client

_SHOWN = 3
_LONGEST = 256


async def similar_ids(client: "Client", code: str, unknown: str) -> list[str]:
    """Up to three ids that may have been meant; none where looking for them fails.

    Of executions the newest page is looked at; one request in any case.
    """
    from perdure.client import ClientError

    known: list[str] = []
    try:
        if code == "unknown_execution":
            page = await client.executions_page(limit=200)
            known = [each.execution_id for each in page.executions]
        elif code == "unknown_workflow":
            async for found in client.workflows_pages():
                known = [each.workflow_id for each in found.workflows]
                break
    except ClientError:
        return []
    begun = [each for each in known if unknown and each.startswith(unknown)]
    near = get_close_matches(unknown[:_LONGEST], known, n=_SHOWN, cutoff=0.8)
    return list(islice(dict.fromkeys([*begun, *near]), _SHOWN))
