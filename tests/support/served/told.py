"""Workflows that log as much as they are asked to, and that wait to be asked."""

import asyncio
import logging
from pathlib import Path

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


@task
async def hold(gate: str) -> str:
    while not Path(gate).exists():  # noqa: ASYNC110 - who opens it is another process
        await asyncio.sleep(0.02)
    return "let go"


@workflow
async def held(gate: str) -> str:
    """Holds its slot until a file is there."""
    return await hold(gate)
