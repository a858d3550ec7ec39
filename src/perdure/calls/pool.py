"""The connections of one worker: so many at most, used again while they are fresh.

httpcore's connections, in a pool of our own: httpcore's looks at all of its connections for each
request. A connection carries one request at a time; what is not at its end when its user leaves
(an error, a cancellation, an answer that was not read) is closed.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable

import httpcore

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class NoFreeConnectionError(Exception):
    """All connections were in use, for too long."""


class Pool:
    """Connections that `network` makes, `most` at a time; to be used on one loop.

    `trusted` is asked when the first one with TLS is made; `idle_s` is how long a connection may
    wait for its next request.
    """

    def __init__(
        self,
        network: httpcore.AsyncNetworkBackend,
        trusted: Callable[[], ssl.SSLContext],
        most: int,
        idle_s: float,
    ) -> None:
        self._network = network
        self._trusted = trusted
        self._context: ssl.SSLContext | None = None
        self._idle_s = idle_s
        self._free = asyncio.Semaphore(most)
        self._most_idle = max(1, most // 4)
        self._idle: dict[httpcore.AsyncHTTPConnection, Origin] = {}
        """Those that wait for their next request, the longest waiting first."""
        self._by_origin: dict[Origin, list[httpcore.AsyncHTTPConnection]] = {}

    @contextlib.asynccontextmanager
    async def answer(
        self, origin: Origin, request: httpcore.Request, wait_s: float
    ) -> AsyncIterator[httpcore.Response]:
        """The answer to a request, to be read within the block.

        Raises NoFreeConnectionError after `wait_s` seconds, and what httpcore and the network do.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise NoFreeConnectionError from None
        try:
            connection = await self._taken(origin, request.url.origin)
            try:
                response = await connection.handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
            finally:
                await self._give_back(origin, connection)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close all connections that are not in use."""
        while self._idle:
            await self._drop_oldest()

    async def _taken(
        self, origin: Origin, wire_origin: httpcore.Origin
    ) -> httpcore.AsyncHTTPConnection:
        while connections := self._by_origin.get(origin):
            connection = connections.pop()
            self._forget(connection)
            if not connection.has_expired():
                return connection
            await connection.aclose()
        if self._context is None and origin[0] == "https":
            self._context = self._trusted()
        return httpcore.AsyncHTTPConnection(
            wire_origin,
            ssl_context=self._context,
            keepalive_expiry=self._idle_s,
            network_backend=self._network,
        )

    async def _give_back(self, origin: Origin, connection: httpcore.AsyncHTTPConnection) -> None:
        if connection.is_available():
            self._idle[connection] = origin
            self._by_origin.setdefault(origin, []).append(connection)
        else:
            await connection.aclose()
        while self._idle and (
            len(self._idle) > self._most_idle or next(iter(self._idle)).has_expired()
        ):
            await self._drop_oldest()

    async def _drop_oldest(self) -> None:
        connection = next(iter(self._idle))
        self._by_origin[self._idle[connection]].remove(connection)
        self._forget(connection)
        await connection.aclose()

    def _forget(self, connection: httpcore.AsyncHTTPConnection) -> None:
        origin = self._idle.pop(connection)
        if not self._by_origin[origin]:
            del self._by_origin[origin]
