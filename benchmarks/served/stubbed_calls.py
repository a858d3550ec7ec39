"""Answers the HTTP calls of documents at once, in the worker that makes them: no network."""

import msgspec

from perdure import workflow
from perdure.calls.http import HttpCalls
from perdure.ports.calls import HttpRequest

_ANSWER = msgspec.json.encode({"number": 2})


async def _answered(self: HttpCalls, request: HttpRequest) -> bytes:
    return _ANSWER


HttpCalls.http = _answered  # type: ignore[method-assign]


@workflow(id="stubbed")
async def stubbed() -> None:
    """A module is served for its workflows; this one is there for what it replaces."""
