"""What each method asks for, and what it makes of the answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import httpx
import msgspec
import pytest

from perdure.client import (
    Client,
    ConflictError,
    ExecutionFailedError,
    RefusedInputError,
    UnexpectedAnswerError,
    Validity,
)
from perdure.model.exceptions import EncodingError
from perdure.model.status import Status
from tests.support.scripted_server import (
    ID,
    TOKEN,
    ScriptedServer,
    a_failure,
    a_head,
    a_record,
    a_task,
    a_whole,
    a_workflow,
    problem,
    reply,
)

EXECUTION = f"/api/executions/{ID}"
EXECUTE = "POST /api/workflows/weather/execute"


def a_client(server: ScriptedServer) -> Client:
    return Client("http://perdure.test", TOKEN, retry_for="0s", transport=server)


async def test_execute_sends_what_is_given_and_nothing_else() -> None:
    server = ScriptedServer(reply(202, a_head("pending")))
    async with a_client(server) as client:
        head = await client.execute(
            "weather",
            {"query": "rain", "at": datetime(2026, 2, 23, tzinfo=UTC)},
            version="2",
            tags={"team": "a"},
            priority=-5,
            start_at=datetime(2026, 2, 23, 17, 30, tzinfo=timezone(timedelta(hours=1))),
            timeout=timedelta(minutes=90),
        )
        assert (head.execution_id, head.status, head.tags) == (ID, Status.PENDING, {"team": "a"})
        assert server.body() == {
            "inputs": {"query": "rain", "at": "2026-02-23T00:00:00Z"},
            "version": "2",
            "tags": {"team": "a"},
            "priority": -5,
            "start_at": "2026-02-23T16:30:00.000Z",
            "timeout": "5400000ms",
        }
        await client.execute("weather")
        assert server.body() == {"inputs": {}}
        await client.execute("weather", start_at="2026-02-23T16:30:00Z", timeout="1h")
        assert server.body() == {
            "inputs": {},
            "start_at": "2026-02-23T16:30:00Z",
            "timeout": "1h",
        }
    assert server.asked == [EXECUTE] * 3
    assert server.headers("prefer") == [None] * 3
    assert server.headers("content-type") == ["application/json"] * 3


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "ü", "k" * 256])
async def test_a_key_that_no_header_holds_is_not_sent(key: str) -> None:
    server = ScriptedServer()
    async with a_client(server) as client:
        with pytest.raises(ValueError, match="1 to 255 visible ASCII"):
            await client.execute("weather", idempotency_key=key)
    assert server.requests == []


async def test_what_has_no_json_and_what_has_no_zone_is_not_sent() -> None:
    server = ScriptedServer()
    async with a_client(server) as client:
        with pytest.raises(EncodingError, match="the inputs"):
            await client.execute("weather", {"x": float("nan")})
        with pytest.raises(EncodingError, match="the data of event paid"):
            await client.send_event(ID, "paid", object())
        with pytest.raises(ValueError, match="has no zone"):
            await client.execute("weather", start_at=datetime(2026, 2, 23))  # noqa: DTZ001
        with pytest.raises(ValueError, match="has no zone"):
            await client.executions_page(created_after=datetime(2026, 2, 23))  # noqa: DTZ001
    assert server.requests == []


async def test_run_returns_the_end_that_came_with_the_answer() -> None:
    ended = reply(200, a_whole("completed"), preference_applied="wait=30")
    server = ScriptedServer(ended)
    async with a_client(server) as client:
        execution = await client.run("weather", {"query": "rain"})
    assert (execution.result, execution.inputs) == ({"rain": 3}, {"query": "rain"})
    assert (server.asked, server.headers("prefer")) == ([EXECUTE], ["wait=30"])


@pytest.mark.parametrize(
    "first",
    [
        reply(202, a_head()),
        reply(200, a_head()),
        reply(200, a_whole("paused"), preference_applied="wait=30"),
    ],
)
async def test_run_goes_on_waiting_for_the_end(first: httpx.Response) -> None:
    server = ScriptedServer(
        first, reply(200, a_whole()), reply(200, a_whole("failed", error=a_failure()))
    )
    async with a_client(server) as client:
        with pytest.raises(ExecutionFailedError, match="no rain") as caught:
            await client.run("weather", idempotency_key="mine")
        execution = await client.run("weather", check=False)
    assert caught.value.execution.error is not None
    assert execution.status is Status.FAILED
    assert server.asked[:3] == [EXECUTE, *[f"GET {EXECUTION}?logs=100"] * 2]
    assert server.headers("prefer")[:3] == ["wait=30", None, "wait=30"]


async def test_all_of_an_execution() -> None:
    waiting = {"kind": "event", "position": "/e", "since": "x", "name": "paid", "until": None}
    current = {"position": "/observe", "name": "observe", "attempt": 2, "started_at": "x"}
    whole = a_whole(
        "running",
        current_tasks=[current],
        waiting_for=[waiting],
        logs=[{**a_record(1), "fields": {"n": 1}}],
        later_member=1,
    )
    server = ScriptedServer(reply(200, whole))
    async with a_client(server) as client:
        execution = await client.execution(ID, logs=7)
    assert server.asked == [f"GET {EXECUTION}?logs=7"]
    assert datetime.fromisoformat(execution.created_at).tzinfo is UTC
    assert (execution.current_tasks[0].attempt, execution.waiting_for[0].name) == (2, "paid")
    del whole["later_member"]
    assert msgspec.to_builtins(execution) == whole


async def test_executions_come_from_all_pages() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        first = "cursor" not in request.url.params
        heads = [a_head(execution_id="a"), a_head(execution_id="b")] if first else [a_head()]
        return reply(200, {"executions": heads, "next_cursor": "c" if first else None})

    server = ScriptedServer(page)
    async with a_client(server) as client:
        found = [
            head.execution_id
            async for head in client.executions(
                workflow_id=["weather", "other"],
                status=Status.FAILED,
                tags={"team": "a:b"},
                created_after=datetime(2026, 2, 23, tzinfo=UTC),
                q="no rain",
                order="created_at",
            )
        ]
    assert found == ["a", "b", ID]
    filters = (
        "workflow_id=weather&workflow_id=other&status=failed&tag=team%3Aa%3Ab"
        "&created_after=2026-02-23T00%3A00%3A00.000Z&q=no+rain&order=created_at&limit=200"
    )
    assert server.asked == [
        f"GET /api/executions?{filters}",
        f"GET /api/executions?{filters}&cursor=c",
    ]


async def test_the_next_page_is_asked_for_when_it_is_wanted() -> None:
    heads = [a_head(execution_id="a"), a_head(execution_id="b")]
    server = ScriptedServer(reply(200, {"executions": heads, "next_cursor": "c"}))
    async with a_client(server) as client:
        found = client.executions()
        assert [(await anext(found)).execution_id for _ in range(2)] == ["a", "b"]
        assert len(server.requests) == 1
        with pytest.raises(UnexpectedAnswerError, match="the same page again and again"):
            async for _ in found:
                pass
    assert len(server.requests) == 2


async def test_one_page() -> None:
    server = ScriptedServer(reply(200, {"executions": [a_head()], "next_cursor": "d"}))
    async with a_client(server) as client:
        page = await client.executions_page(limit=1, cursor="c", total=True, status=["failed"])
        assert (len(page.executions), page.next_cursor) == (1, "d")
        await client.executions_page()
    assert server.asked == [
        "GET /api/executions?status=failed&limit=1&cursor=c&total=true",
        "GET /api/executions?limit=50",
    ]


async def test_tasks_have_what_there_is() -> None:
    tasks = [a_task(output=[1], input={"x": 1}), a_task("/b", "running", error=a_failure())]
    server = ScriptedServer(reply(200, {"tasks": tasks, "next_cursor": None}))
    async with a_client(server) as client:
        first, second = [task async for task in client.tasks(ID)]
    assert (first.input, first.output, first.error) == ({"x": 1}, [1], msgspec.UNSET)
    assert isinstance(second.error, msgspec.Struct)
    assert (second.output, second.completed_at) == (msgspec.UNSET, None)
    assert server.asked == [f"GET {EXECUTION}/tasks?limit=100"]


async def test_logs_with_filters() -> None:
    page = {"logs": [a_record(1), a_record(2)], "next_cursor": None}
    server = ScriptedServer(reply(200, page))
    async with a_client(server) as client:
        assert [record.seq async for record in client.logs(ID, level=["INFO", "ERROR"])] == [1, 2]
        newest = client.logs(ID, newest_first=True, since="2026-02-23T16:30:00Z")
        assert (await anext(newest)).message == "it rains"
    assert server.asked == [
        f"GET {EXECUTION}/logs?level=INFO&level=ERROR&limit=1000",
        f"GET {EXECUTION}/logs?since=2026-02-23T16%3A30%3A00Z&order=-seq&limit=1000",
    ]


async def test_a_download_is_streamed() -> None:
    taken: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(1_000):
            taken.append(number)
            yield b"%d\n" % number

    server = ScriptedServer(lambda _: httpx.Response(200, content=pieces()))
    async with a_client(server) as client:
        async with client.download_logs(ID, "ndjson", min_level="ERROR") as download:
            assert await anext(download) == b"0\n"
            assert len(taken) < 10
        async with client.download_logs(ID) as download:
            assert b"".join([piece async for piece in download]).count(b"\n") == 1_000
    assert server.asked == [
        f"GET {EXECUTION}/logs/download?min_level=ERROR&format=ndjson",
        f"GET {EXECUTION}/logs/download?format=text",
    ]


@pytest.mark.parametrize("what", ["cancel", "pause", "resume"])
async def test_control(what: str) -> None:
    server = ScriptedServer(reply(202, a_head("paused")))
    async with a_client(server) as client:
        assert (await getattr(client, what)(ID)).status is Status.PAUSED
    assert server.asked == [f"POST {EXECUTION}/{what}"]


async def test_an_event() -> None:
    receipt = {"execution_id": ID, "name": "paid", "id": "e1", "duplicate": True}
    server = ScriptedServer(reply(200, receipt))
    async with a_client(server) as client:
        assert (await client.send_event(ID, "paid", [1], event_id="e1")).duplicate
    assert server.asked == [f"POST {EXECUTION}/events/paid"]
    assert server.body() == {"data": [1], "id": "e1"}


async def test_a_refused_filter_is_told() -> None:
    errors = [{"location": "?order", "message": "is none of …"}]
    server = ScriptedServer(problem(422, "invalid_request", errors=errors))
    async with a_client(server) as client:
        with pytest.raises(RefusedInputError, match=r"\?order: is none of"):
            await anext(client.executions(order="sideways"))  # type: ignore[arg-type]


async def test_workflows_and_their_versions() -> None:
    first = {"workflows": [a_workflow()], "problems": ["a.py: no"], "next_cursor": "c"}
    last = {"workflows": [a_workflow(workflow_id="z")], "problems": [], "next_cursor": None}
    versions = {"versions": [a_workflow(version="2"), a_workflow()], "next_cursor": None}
    server = ScriptedServer(*(reply(200, each) for each in (first, last, versions)))
    async with a_client(server) as client:
        found = [each async for each in client.workflows(retired=True)]
        assert [each.workflow_id for each in found] == ["weather", "z"]
        assert found[0].input_schema == {"type": "object"}
        assert [each.version async for each in client.versions("weather")] == ["2", "1"]
    assert server.asked == [
        "GET /api/workflows?retired=true",
        "GET /api/workflows?retired=true&cursor=c",
        "GET /api/workflows/weather/versions",
    ]


async def test_one_workflow_and_its_end() -> None:
    server = ScriptedServer(reply(200, a_workflow(source="async def weather(): ...")))
    async with a_client(server) as client:
        assert (await client.workflow("weather")).source == "async def weather(): ..."
        await client.workflow("weather", "1.0/b")
        server.replies = [httpx.Response(204)]
        await client.retire("weather")
    assert server.asked == [
        "GET /api/workflows/weather",
        "GET /api/workflows/weather/versions/1.0%2Fb",
        "DELETE /api/workflows/weather",
    ]


async def test_documents_are_registered_and_validated() -> None:
    found = {"location": "/do", "line": 1, "column": 5, "message": "is empty"}
    server = ScriptedServer(
        reply(201, a_workflow(source="do: []", unsupported=["call grpc at /do/0/greet"])),
        reply(200, {"valid": False, "problems": [found]}),
    )
    async with a_client(server) as client:
        workflow = await client.register_workflow("do: []  # 天気")
        assert (workflow.version, workflow.source) == ("1", "do: []")
        assert workflow.unsupported == ["call grpc at /do/0/greet"]
        validity = await client.validate_workflow(b"do: []")
        assert validity == msgspec.convert({"valid": False, "problems": [found]}, Validity)
        server.replies = [problem(422, "invalid_document", errors=[found])]
        with pytest.raises(RefusedInputError) as refused:
            await client.register_workflow("do: []")
        assert [each.location for each in refused.value.errors] == ["/do"]
        server.replies = [problem(409, "version_conflict")]
        with pytest.raises(ConflictError):
            await client.register_workflow("do: []")
    assert server.asked[:2] == ["POST /api/workflows", "POST /api/workflows/validate"]
    assert server.headers("content-type")[:2] == ["application/yaml"] * 2
