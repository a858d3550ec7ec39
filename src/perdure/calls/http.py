"""Calls over HTTP/1.1: one pool of connections for each worker, and limits on everything.

The connections are httpcore's, which httpx is built on: they add nothing to a request, keep no
cookies, follow nothing and know no proxies. A call that is cancelled closes its connection.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterable, Callable
from pathlib import Path

import certifi
import httpcore
import msgspec

from perdure.authoring.context import task_context
from perdure.calls import failing, incoming
from perdure.calls.egress import Egress
from perdure.calls.masking import Mask
from perdure.calls.network import (
    GuardedBackend,
    RefusedAddressError,
    Resolve,
    ThreadResolver,
    UnresolvedError,
)
from perdure.calls.outgoing import Outgoing, mask_of, outgoing
from perdure.calls.pool import NoFreeConnectionError, Pool
from perdure.calls.redirects import redirected
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.exceptions import FailedError
from perdure.ports.calls import HttpRequest

_CAUGHT = (
    NoFreeConnectionError,
    failing.UnusableAnswerError,
    RefusedAddressError,
    UnresolvedError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    ssl.SSLError,
)


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a call may take.

    `connect_s` is for each connection, looking up its name included; `silent_s` the longest pause
    of a server, and the longest wait for a free connection; `total_s` for all of a call;
    `error_text_s` for the text of an error; `idle_s` for how long a connection is kept, shorter
    than the 5 s and more of servers. `body_bytes` is of a body once it is decompressed.
    """

    connect_s: float = 10.0
    silent_s: float = 60.0
    total_s: float = 300.0
    error_text_s: float = 5.0
    idle_s: float = 4.0
    body_bytes: int = VALUE_LIMIT_BYTES
    error_text_bytes: int = 16 * 1024
    redirects: int = 10
    connections: int = 200


class HttpCalls:
    """Implements `ports.calls.Calls`. To be used on one event loop, and closed there."""

    def __init__(
        self,
        egress: Egress,
        *,
        limits: HttpLimits | None = None,
        resolve: Resolve | None = None,
        trusted: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._egress = egress
        self._limits = limits or HttpLimits()
        self._trusted = trusted or trusted_by_the_system
        self._resolver = ThreadResolver()
        self._resolve = resolve or self._resolver.resolve
        self._pool: Pool | None = None

    async def http(self, request: HttpRequest) -> bytes:
        """See `ports.calls.Calls`."""
        context = task_context.get()
        mask = mask_of(request)
        try:
            first = outgoing(request, context.idempotency_key if context else None)
            return await self._in_time(first, request, mask)
        except FailedError as error:
            failure = error.failure
            hidden = msgspec.structs.replace(failure, detail=mask.hide(failure.detail))
            raise FailedError(hidden) from None

    async def close(self) -> None:
        """Close all connections."""
        self._resolver.close()
        if self._pool is not None:
            await self._pool.close()

    async def _in_time(self, first: Outgoing, request: HttpRequest, mask: Mask) -> bytes:
        try:
            async with asyncio.timeout(self._limits.total_s):
                return await self._answer(first, request, mask)
        except TimeoutError:
            raise FailedError(failing.too_slow(first.what, self._limits.total_s)) from None

    async def _answer(self, sent: Outgoing, request: HttpRequest, mask: Mask) -> bytes:
        """The output of what a request and its redirects lead to."""
        for _ in range(self._limits.redirects + 1):
            try:
                following = await self._exchange(sent, request, mask)
            except _CAUGHT as error:
                raise FailedError(failing.failure_of(error, sent.what, sent.where)) from None
            if isinstance(following, bytes):
                return following
            sent = following
        endless = failing.UnusableAnswerError(f"more than {self._limits.redirects} redirects")
        raise FailedError(failing.failure_of(endless, sent.what, sent.where))

    async def _exchange(self, sent: Outgoing, request: HttpRequest, mask: Mask) -> bytes | Outgoing:
        """Send one request: the output, or the request that its answer redirects to.

        Raises FailedError for a status that is an error, and what `_CAUGHT` lists.
        """
        limits = self._limits
        wire = httpcore.Request(
            sent.method,
            sent.target.wire,
            headers=[
                (name.encode("ascii"), value.encode())
                for name, value in (("host", sent.target.authority), *sent.headers.items())
            ],
            content=sent.body,
            extensions={
                "sni_hostname": sent.target.server_name,
                "timeout": {
                    "connect": limits.connect_s,
                    "read": limits.silent_s,
                    "write": limits.silent_s,
                },
            },
        )
        answer = self._connections().answer(sent.target.origin, wire, limits.silent_s)
        async with answer as response:
            headers = incoming.merged(response.headers)
            if request.redirect:
                location = headers.get("location")
                following = redirected(sent, response.status, location, mask)
                if following is not None:
                    return following
            chunks = response.aiter_stream()
            if not 200 <= response.status <= (399 if request.redirect else 299):
                text = mask.hide(await self._error_text(chunks, headers))
                raise FailedError(failing.answered(response.status, sent.what, text))
            body = await incoming.body_of(chunks, headers, limits.body_bytes)
            whole = incoming.Answer(response.status, headers, body)
            return incoming.rendered(sent, whole, request.output, mask)

    async def _error_text(self, chunks: AsyncIterable[bytes], headers: dict[str, str]) -> str:
        """The begin of an error's text, as far as it comes soon."""
        body = bytearray()
        most = self._limits.error_text_bytes
        with contextlib.suppress(TimeoutError, *_CAUGHT):
            async with asyncio.timeout(self._limits.error_text_s):
                async for part in incoming.parts_of(chunks, headers, most):
                    body += part
                    if len(body) >= most:
                        break
        content_type = headers.get("content-type", "")
        return incoming.text_of(bytes(body[:most]), content_type)

    def _connections(self) -> Pool:
        if self._pool is None:
            network = GuardedBackend(self._egress, self._resolve)
            limits = self._limits
            self._pool = Pool(network, self._trusted, limits.connections, limits.idle_s)
        return self._pool


def trusted_by_the_system() -> ssl.SSLContext:
    """Trust as the system has it, or SSL_CERT_FILE; certifi's where there is none."""
    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath
    if not context.cert_store_stats()["x509_ca"] and not (folder and any(Path(folder).iterdir())):
        context.load_verify_locations(certifi.where())
    return context
