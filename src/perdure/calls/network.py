"""How connections are made: resolve a name once, judge each address, connect to that very one.

There is no second look-up between the judgement and the connection, so a name that changes what
it stands for gains nothing. A pool keeps connections by name and port: one that is used again was
judged when it was made.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpcore

from perdure.calls.egress import Egress, parsed_address

RESOLVING_THREADS = 32
_MOST_ADDRESSES = 8

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name. Raises OSError where there are none."""


class RefusedAddressError(Exception):
    """Calls may not go there; `reason` says what kind of address it is."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason


class UnresolvedError(Exception):
    """A name stands for no address."""


class ThreadResolver:
    """The system's resolver, in threads of its own: a slow name server holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, "resolve")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The addresses of `host`, the system's favourite first."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Take no more; what is being looked up is forgotten."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects the pool's connections, and only to where `egress` lets them go."""

    def __init__(self, egress: Egress, resolve: Resolve) -> None:
        self._egress = egress
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect within `timeout` seconds, looking the name up included.

        Raises RefusedAddressError, UnresolvedError, and httpcore's.
        """
        loop = asyncio.get_running_loop()
        limit_s = 60.0 if timeout is None else timeout
        until = loop.time() + limit_s
        try:
            async with asyncio.timeout(limit_s):
                addresses = self._permitted(host, port, await self._resolve(host, port))
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise UnresolvedError(str(error)) from None
        for tried, address in enumerate(addresses):
            share_s = (until - loop.time()) / (len(addresses) - tried)
            try:
                return await self._network.connect_tcp(
                    address, port, max(share_s, 0.001), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses) - 1:
                    raise
        raise UnresolvedError("the name has no address")

    def _permitted(self, host: str, port: int, found: Sequence[str]) -> Sequence[str]:
        """Those of the addresses that may be called; all the same where it is none of them."""
        permitted = []
        refused = None
        for text in found:
            reason = self._egress.refusal(host, port, parsed_address(text))
            if reason is None:
                permitted.append(text)
            else:
                refused = refused or RefusedAddressError(text, reason)
        if refused and not permitted:
            raise refused
        return permitted[:_MOST_ADDRESSES]

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Not a way for calls."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait, as the pool asks."""
        await asyncio.sleep(seconds)
