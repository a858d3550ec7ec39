"""Dispatch, and what the server around the application may do to it."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message, Scope

from perdure.api import create_app
from perdure.api.documentation import SERVED
from tests.unit.api.fakes import ID, KEY, FakeRuntime, StoppedClock, connected


def a_scope(method: str = "POST", path: str = "/api/workflows/weather/execute") -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [
            (b"authorization", b"Bearer " + KEY.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"2"),
            (b"prefer", b"wait=5"),
        ],
    }


class Connection:
    """A client that sends what it is given, and may be gone when the answer comes."""

    def __init__(self, *messages: Message, gone: bool = False) -> None:
        self.unread = list(messages)
        self._gone = gone
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        return self.unread.pop(0)

    async def send(self, message: Message) -> None:
        if self._gone:
            raise OSError("the client is gone")
        self.sent.append(message)


async def called(runtime: FakeRuntime, scope: Scope, connection: Connection) -> Sequence[Message]:
    app = create_app(runtime, admin_key=KEY, clock=StoppedClock())
    await app(scope, connection.receive, connection.send)
    return connection.sent


BODY: Message = {"type": "http.request", "body": b"{}", "more_body": False}
HALF: Message = {"type": "http.request", "body": b"{", "more_body": True}
LEFT: Message = {"type": "http.disconnect"}


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/executions/", "/api/executions\n"])
async def test_an_unknown_path(path: str) -> None:
    [start, _] = await called(FakeRuntime(), a_scope("GET", path), Connection(BODY))
    assert start["status"] == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/executions", "GET, HEAD"),
        ("/api/workflows/weather/execute", "POST"),
        ("/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(path: str, allowed: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.request("PATCH", path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/healthz", "/api/executions", "/api/executions/nope"])
async def test_head_is_get_without_the_body(path: str) -> None:
    async with connected(FakeRuntime()) as client:
        get = await client.get(path)
        head = await client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))


async def test_nothing_is_cached() -> None:
    async with connected(FakeRuntime()) as client:
        assert (await client.get("/api/executions")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/api/executions/{ID}%2Flogs", "unknown_execution"),
        (f"/api/executions/{ID}%2flogs/download", "not_found"),
        (f"/api/executions%2F{ID}", "not_found"),
        ("/api/workflows/weather%2Fversions%2F1", "unknown_workflow"),
    ],
)
async def test_an_encoded_slash_separates_nothing(path: str, code: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert runtime.asked == []


async def test_the_name_of_an_event_may_have_slashes() -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.post(f"/api/executions/{ID}/events/paid%2Ffully/now", json={})
    assert (answer.status_code, answer.json()["name"]) == (202, "paid/fully/now")


def test_every_operation_is_declared_once() -> None:
    declared = [(route.method, route.path) for route in SERVED]
    assert len(set(declared)) == len(declared)
    public = {route.path for route in SERVED if route.public}
    assert public == {"/healthz", "/readyz", "/openapi.json", "/docs"}
    assert all(route.replies for route in SERVED)


async def test_a_client_that_leaves_while_it_waits_stops_nothing() -> None:
    runtime = FakeRuntime()
    assert await called(runtime, a_scope(), Connection(BODY, LEFT, gone=True)) == []
    assert len(runtime.started) == 1
    assert runtime.waited == [5]


@pytest.mark.parametrize("messages", [(LEFT,), (HALF, LEFT)])
async def test_a_client_that_leaves_before_its_request_is_whole_starts_nothing(
    messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    runtime = FakeRuntime()
    assert await called(runtime, a_scope(), Connection(*messages)) == []
    assert runtime.started == []
    assert caplog.records == []


async def test_a_refused_body_is_let_pass_before_the_answer() -> None:
    connection = Connection(HALF, HALF, BODY)
    scope = a_scope(path="/api/nothing")
    [start, _] = await called(FakeRuntime(), scope, connection)
    assert start["status"] == 404
    assert connection.unread == []


@pytest.mark.parametrize(
    ("header", "received"),
    [
        ((b"content-length", b"0"), 0),
        ((b"expect", b"100-continue"), 0),
        ((b"transfer-encoding", b"chunked"), 65),
    ],
)
async def test_what_is_let_pass_is_bounded(header: tuple[bytes, bytes], received: int) -> None:
    megabyte: dict[str, Any] = {"type": "http.request", "body": b" " * 2**20, "more_body": True}
    connection = Connection(*[megabyte] * 100)
    scope = a_scope(path="/api/nothing")
    scope["headers"] = [*scope["headers"], header]
    await called(FakeRuntime(), scope, connection)
    assert len(connection.unread) == 100 - received


async def test_takes_part_in_the_lifespan() -> None:
    connection = Connection({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = await called(FakeRuntime(), {"type": "lifespan"}, connection)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_speaks_no_websocket() -> None:
    connection = Connection({"type": "websocket.connect"})
    sent = await called(FakeRuntime(), {"type": "websocket"}, connection)
    assert [message["type"] for message in sent] == ["websocket.close"]
