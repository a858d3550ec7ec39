"""A server that answers a client as a test has written down, without a socket."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

Handler = Callable[[httpx.Request], httpx.Response]
ID = "exec-1j4k5l6m7n8o9"
AT = "2026-02-23T16:30:00.123Z"
LATER = "2026-02-23T16:30:01.623Z"
TOKEN = "prd_the-token-of-the-tests"


def reply(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    """An answer; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={} if body is None else body, headers=named)


def problem(status: int, code: str, detail: str = "no", **more: Any) -> httpx.Response:
    """A problem; of `more`, `retry_after` is a header."""
    headers = {"content-type": "application/problem+json"}
    if "retry_after" in more:
        headers["retry-after"] = str(more.pop("retry_after"))
    body = {"type": f"urn:perdure:problem:{code}", "title": code, "status": status}
    return httpx.Response(
        status, json={**body, "code": code, "detail": detail, **more}, headers=headers
    )


def a_head(status: str = "running", execution_id: str = ID, **more: Any) -> dict[str, Any]:
    """The head of an execution, as the API writes it."""
    ended = status in ("completed", "failed", "cancelled")
    return {
        "execution_id": execution_id,
        "workflow_id": "weather",
        "workflow_version": "1",
        "status": status,
        "created_at": AT,
        "started_at": AT,
        "completed_at": LATER if ended else None,
        "tags": {"team": "a"},
        **more,
    }


def a_whole(status: str = "running", **more: Any) -> dict[str, Any]:
    """All of an execution, as the API writes it."""
    return {
        **a_head(status),
        "inputs": {"query": "rain"},
        "result": {"rain": 3} if status == "completed" else None,
        "error": None,
        "current_tasks": [],
        "waiting_for": [],
        "created_by": "admin",
        "attempt": 1,
        "cancel_requested_at": None,
        "paused_at": None,
        "duration_ms": 1500,
        "logs": [],
        **more,
    }


def a_failure(detail: str = "no rain", instance: str = "/observe") -> dict[str, Any]:
    """A failure, as the API writes it."""
    return {
        "type": "urn:x",
        "status": 500,
        "title": "Runtime error",
        "detail": detail,
        "instance": instance,
    }


def a_record(seq: int, message: str = "it rains", level: str = "INFO") -> dict[str, Any]:
    """A log record, as the API writes it."""
    return {
        "seq": seq,
        "timestamp": AT,
        "level": level,
        "task": "observe",
        "message": message,
        "fields": None,
    }


def a_task(position: str = "/observe", status: str = "completed", **more: Any) -> dict[str, Any]:
    """A task run, as the API writes it."""
    return {
        "position": position,
        "name": position.rpartition("/")[2],
        "kind": "task",
        "status": status,
        "attempt": 1,
        "started_at": AT,
        "completed_at": LATER if status != "running" else None,
        **more,
    }


def a_workflow(**more: Any) -> dict[str, Any]:
    """A workflow version, as the API writes it."""
    return {
        "workflow_id": "weather",
        "version": "1",
        "kind": "python",
        "title": "What the sky does",
        "tags": {},
        "digest": "d",
        "timeout_ms": None,
        "retired_at": None,
        "input_schema": {"type": "object"},
        "unsupported": [],
        **more,
    }


class ScriptedServer(httpx.AsyncBaseTransport):
    """Answers requests with `replies`, one after the other; the last one answers all that follow.

    A reply may be an answer, an exception that the connection ends with, or a function of the
    request. `at_path` answers requests of a path, and leaves the others to the script.
    """

    def __init__(self, *replies: httpx.Response | Exception | Handler) -> None:
        self.replies = list(replies)
        self.at_path: dict[str, Handler] = {}
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, and keep the request."""
        await request.aread()
        self.requests.append(request)
        handler = self.at_path.get(request.url.path)
        if handler is not None:
            return handler(request)
        assert self.replies, f"nothing is scripted for {request.method} {request.url}"
        next_ = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(next_, Exception):
            raise next_
        return again(next_) if isinstance(next_, httpx.Response) else next_(request)

    @property
    def asked(self) -> list[str]:
        """What was asked for: the method, path and query of each request."""
        return [f"{each.method} {each.url.raw_path.decode()}" for each in self.requests]

    def headers(self, name: str) -> list[str | None]:
        """A header of each request."""
        return [each.headers.get(name) for each in self.requests]

    def body(self, index: int = -1) -> Mapping[str, Any]:
        """The JSON body of a request."""
        body = json.loads(self.requests[index].content)
        assert isinstance(body, dict)
        return body


def again(response: httpx.Response) -> httpx.Response:
    """The same answer, to be read once more."""
    return httpx.Response(response.status_code, headers=response.headers, content=response.content)
