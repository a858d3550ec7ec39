"""A service that counts what it is called with, and answers as its callers want it to.

Any method and path will do. The query says how it answers: after `delay_ms`, and with 503 in the
first `fail` rounds of the innermost ``try`` around the call. It knows the round by the idempotency
key, which has the position of the call; so whoever repeats a call gets the same answer, and what a
workflow makes of the answers does not depend on how often it was disturbed. The answer has the
path, and `told` of the body gives it back.
"""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.support.loopback import serving

KEY_HEADER = "idempotency-key"
_ROUND = re.compile(r"/try(?:@(\d+))?/")


class Call(NamedTuple):
    """What is counted; `key` is empty where none was sent."""

    method: str
    path: str
    key: str


def fails(query: Mapping[str, Any], position: str) -> bool:
    """Whether a call at this position (a key ends with it) is answered 503."""
    rounds = [int(count or 0) for count in _ROUND.findall(position)]
    return int(str(query.get("fail", 0))) > (rounds[-1] if rounds else 0)


def delay_s(query: Mapping[str, Any]) -> float:
    """After how long a call is answered."""
    return int(str(query.get("delay_ms", 0))) / 1000


def answer(path: str, body: Any) -> dict[str, Any]:
    """What a call that does not fail is answered."""
    return {"path": path, "told": body.get("told") if isinstance(body, dict) else None}


class Counting:
    """The service as an application (ASGI)."""

    def __init__(self) -> None:
        self.url = ""
        self._calls: Counter[Call] = Counter()
        self._lock = threading.Lock()

    @property
    def calls(self) -> Counter[Call]:
        """How often each call came until now."""
        with self._lock:
            return Counter(self._calls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        call = Call(request.method, request.url.path, request.headers.get(KEY_HEADER, ""))
        body = await request.body()
        with self._lock:
            self._calls[call] += 1
        await asyncio.sleep(delay_s(request.query_params))
        if fails(request.query_params, call.key):
            response = JSONResponse({"path": call.path}, 503)
        else:
            response = JSONResponse(answer(call.path, json.loads(body or b"null")))
        await response(scope, receive, send)


@contextmanager
def counting() -> Iterator[Counting]:
    """The service, on loopback; `url` says where."""
    service = Counting()
    with serving(service) as service.url:
        yield service
