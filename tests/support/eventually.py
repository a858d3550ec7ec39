"""Waiting for what other threads and processes do: by looking now and then."""

import asyncio
from collections.abc import Callable

_EVERY_S = 0.005


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    while not condition():  # noqa: ASYNC110 - nothing tells when another process has done it
        await asyncio.sleep(_EVERY_S)
