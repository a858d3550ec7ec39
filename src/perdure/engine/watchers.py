"""Who waits for something to become of an execution."""

import asyncio


class Watchers:
    """Those who wait for the next change of an execution's status."""

    def __init__(self) -> None:
        self._by_execution: dict[str, set[asyncio.Future[None]]] = {}
        self.count = 0

    def watch(self, execution_id: str) -> "asyncio.Future[None]":
        """A future that is done at the next change. Give it back with `forget`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._by_execution.setdefault(execution_id, set()).add(future)
        self.count += 1
        return future

    def forget(self, execution_id: str, future: "asyncio.Future[None]") -> None:
        """Nobody waits on this future any more."""
        self.count -= 1
        watching = self._by_execution.get(execution_id)
        if watching is not None:
            watching.discard(future)
            if not watching:
                del self._by_execution[execution_id]

    def wake(self, execution_id: str) -> None:
        """The status has changed."""
        if self._by_execution:
            for future in self._by_execution.pop(execution_id, ()):
                wake(future)

    def wake_all(self) -> None:
        """Nobody is to wait any longer."""
        for execution_id in tuple(self._by_execution):
            self.wake(execution_id)


async def within(future: "asyncio.Future[None]", seconds: float) -> None:
    """Wait until a future is done, at most so long; `done` tells afterwards whether it was."""
    if future.done():
        return
    loop = asyncio.get_running_loop()
    late: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, wake, late)
    future.add_done_callback(lambda _: wake(late))
    try:
        await late
    finally:
        timer.cancel()


def wake(future: "asyncio.Future[None]") -> None:
    """Have a future done, if it is not."""
    if not future.done():
        future.set_result(None)
