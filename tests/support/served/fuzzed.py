"""What is served to schemathesis: the workflows of the OpenAPI document's examples, and one that
stays where it is until it is told to go on.
"""

import logging
from typing import Any

from perdure import task, wait_for_event, workflow

log = logging.getLogger(__name__)


@task
async def observe(query: Any) -> Any:
    log.info("observed %s", query)
    return query


@workflow
async def weather(query: Any = None) -> Any:
    return await observe(query)


@workflow
async def order(query: Any = None) -> Any:
    await observe("order")
    return await wait_for_event("paid")


@workflow
async def old(query: Any = None) -> Any:
    """It will be retired."""
    return query
