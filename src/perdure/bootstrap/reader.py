"""Runs the store's reads in a few threads, so that the loop does not wait for a disk."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

READ_THREADS = 4
PART_THREADS = 2
"""For parts of downloads: they take longer than other reads, which so never wait for them."""


class ThreadReader:
    """Reads in threads. Their number bounds what runs at once; callers wait their turn."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"perdure-{name}")

    def __call__(self, read: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """The result of ``read(*arguments)``."""
        return asyncio.get_running_loop().run_in_executor(self._pool, read, *arguments)

    def close(self) -> None:
        """Wait for reads that run, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
