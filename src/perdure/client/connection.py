"""One request and its answer: sent, tried again where that is safe, read within a limit, decoded.

What may come twice is tried again: every request that this client makes may. A GET changes
nothing; a start carries an idempotency key and an event its id, so the server knows them again;
cancel, pause, resume and retire ask for a state, and `ApiError.after_lost_answer` tells a caller
that the state which they met may be of their own making.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TypeVar

import httpx
import msgspec

from perdure.client.address import is_loopback, server_url, usable_token
from perdure.client.exceptions import (
    ApiError,
    ConflictError,
    Located,
    NotFoundError,
    NotReachableError,
    RefusedInputError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from perdure.client.retrying import LOST, RETRIED, Retrying, retry_after_s

ANSWER_LIMIT_BYTES = 128 * 1024 * 1024
"""The largest answer that is kept in memory. A download is streamed, and has no limit."""
_PROBLEM_LIMIT_BYTES = 1024 * 1024
_CONNECT_S = 5.0
_KEPT_OPEN = 100
_NOT_SENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.ProxyError)
"""Faults of what was to be sent, or of a proxy that refuses it: they do not pass."""
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout)

Query = Sequence[tuple[str, str]]
T = TypeVar("T")

_ERRORS: Mapping[int, type[ApiError]] = {
    **dict.fromkeys((400, 408, 413, 415, 422, 431), RefusedInputError),
    **dict.fromkeys((401, 403), UnauthorizedError),
    **dict.fromkeys((404, 410), NotFoundError),
    **dict.fromkeys((409, 412), ConflictError),
    **dict.fromkeys(RETRIED, UnavailableError),
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that may be sent more than once. `wait_s` is how long the server may take."""

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of success, complete."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Problem(msgspec.Struct, frozen=True):
    """What is read of a problem; any member may be missing, for proxies write problems too."""

    code: str = ""
    title: str = ""
    detail: str = ""
    errors: list[Located] = []


class Connection:
    """Requests to one server. `timeout_s` is how long it may be silent, beyond what `wait_s` is."""

    def __init__(
        self,
        url: str | None,
        token: str | None,
        *,
        timeout_s: float,
        retrying: Retrying,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.retrying = retrying
        self._timeout_s = timeout_s
        self._url = server_url(url, os.environ)
        secret = usable_token(token, os.environ)
        headers = {"User-Agent": f"perdure/{version('perdure')}"}
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        self._http = httpx.AsyncClient(
            headers=headers,
            transport=transport,
            # To load the certificates takes longer than a request, and plain http needs none.
            verify=self._url.scheme == "https",
            # A proxy does not reach what listens on this machine only.
            trust_env=not is_loopback(self._url),
            follow_redirects=False,
            # Each wait holds a connection; other requests do not queue behind them.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_KEPT_OPEN),
        )

    @property
    def url(self) -> str:
        """The server's URL."""
        return str(self._url).rstrip("/")

    async def close(self) -> None:
        """Close what is open. What the server was asked for goes on."""
        await self._http.aclose()

    async def answer(self, request: Request) -> Answer:
        """The answer of success; raises ApiError, NotReachableError or UnexpectedAnswerError."""
        async with self.streamed(request) as response:
            body = await self._read(response, ANSWER_LIMIT_BYTES)
            return Answer(status=response.status_code, headers=response.headers, body=body)

    async def decoded(self, request: Request, type_: type[T]) -> T:
        """The answer's body as a `type_`; raises what `answer` raises."""
        return self.decode(await self.answer(request), type_)

    def decode(self, answer: Answer, type_: type[T]) -> T:
        """The body of an answer as a `type_`. Raises UnexpectedAnswerError."""
        try:
            return msgspec.json.decode(answer.body, type=type_)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._not_understood(f"its answer is no {type_.__name__}: {error}") from None

    @asynccontextmanager
    async def streamed(self, request: Request) -> AsyncIterator[httpx.Response]:
        """An answer of success whose body is still to be read.

        Until the body begins, the request is tried again; a body that breaks off is a
        NotReachableError.
        """
        response = await self._sent(request)
        try:
            yield response
        except httpx.TransportError as error:
            raise self._not_reachable(error) from None
        except httpx.DecodingError as error:
            raise self._not_understood(f"its answer does not unpack: {error}") from None
        finally:
            await response.aclose()

    async def _sent(self, request: Request) -> httpx.Response:
        clock = asyncio.get_running_loop().time
        until_s = clock() + self.retrying.for_s
        tries, lost = 0, False
        while True:
            tries += 1
            refusal: NotReachableError | ApiError
            asked_s: float | None = None
            try:
                response = await self._try(request)
            except httpx.TransportError as error:
                refusal = self._not_reachable(error)
                refusable = not isinstance(error, _NOT_SENT)
                lost = lost or not isinstance(error, _NEVER_ARRIVED)
            else:
                if response.is_success:
                    return response
                refusal = await self._refusal(response, lost)
                asked_s = refusal.retry_after_s
                refusable = response.status_code in RETRIED
                lost = lost or response.status_code in LOST
            pause_s = self.retrying.pause_s(tries, asked_s)
            if not refusable or clock() + pause_s > until_s:
                raise refusal from None
            await asyncio.sleep(pause_s)

    async def _try(self, request: Request) -> httpx.Response:
        headers = dict(request.headers)
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
        if request.wait_s:
            headers["Prefer"] = f"wait={request.wait_s:.0f}"
        timeout = httpx.Timeout(
            self._timeout_s, connect=_CONNECT_S, read=self._timeout_s + request.wait_s
        )
        built = self._http.build_request(
            request.method,
            self.url + request.path,
            params=list(request.query) or None,
            headers=headers,
            content=request.body,
            timeout=timeout,
        )
        return await self._http.send(built, stream=True)

    async def _refusal(self, response: httpx.Response, lost: bool) -> ApiError:
        status = response.status_code
        try:
            body = await self._read(response, _PROBLEM_LIMIT_BYTES)
        except (httpx.TransportError, httpx.DecodingError, UnexpectedAnswerError):
            body = b""
        finally:
            await response.aclose()
        if response.has_redirect_location or response.is_informational:
            raise self._not_understood(f"it answers with {status} {response.reason_phrase}")
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            problem = _Problem()
        detail = problem.detail or problem.title
        if not detail:
            detail = f"{self.url} answers with {status} {response.reason_phrase} and says no more"
        return _ERRORS.get(status, ApiError)(
            status,
            problem.code,
            detail,
            errors=problem.errors,
            retry_after_s=retry_after_s(response.headers, self.retrying.wall_clock),
            after_lost_answer=lost,
        )

    async def _read(self, response: httpx.Response, limit_bytes: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > limit_bytes:
                raise self._not_understood(
                    f"its answer has more than {limit_bytes:,} bytes: ask for smaller pages"
                )
            parts.append(part)
        return b"".join(parts)

    def _not_reachable(self, error: httpx.TransportError) -> NotReachableError:
        said = str(error) or type(error).__name__
        return NotReachableError(f"{self.url} does not answer: {said}")

    def _not_understood(self, what: str) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(f"{self.url} is no server of this API: {what}")
