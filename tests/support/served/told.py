"""Workflows that log as much as they are asked to, and that wait to be asked."""

import logging

from perdure import task, wait_for_event, workflow

log = logging.getLogger(__name__)


@task
async def tell(lines: int) -> int:
    if not lines:
        raise ValueError("nothing to tell")
    for number in range(lines):
        log.info("line %d", number)
    return lines


@workflow
async def told(lines: int = 1) -> int:
    return await tell(lines)


@workflow
async def asked() -> str:
    return await wait_for_event("answer", type=str)
