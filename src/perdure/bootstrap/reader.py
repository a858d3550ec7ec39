"""Runs the store's reads in a few threads, so that the loop does not wait for a disk."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_THREADS = 4


class ThreadReader:
    """Reads in threads. The number of threads bounds what runs; callers wait their turn."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="perdure-read")

    def __call__(self, read: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """The result of ``read(*arguments)``."""
        return asyncio.get_running_loop().run_in_executor(self._pool, read, *arguments)

    def close(self) -> None:
        """Wait for reads that run, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
