"""Executions, logs, tasks and events beside what lists and starts have in common."""

import msgspec
import pytest

from perdure.model.execution import Execution, TaskRun
from perdure.model.status import Status
from perdure.ports.runtime import RefusedError
from tests.unit.api.fakes import ID, NOW_MS, FakeRuntime, a_head, connected

EXECUTION = f"/api/executions/{ID}"


async def test_shows_the_whole_with_the_newest_logs() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION)
        await client.get(f"{EXECUTION}?logs=0")
        await client.get(f"{EXECUTION}?logs=1000")
    assert answer.status_code == 200
    assert answer.json()["execution_id"] == ID
    assert answer.json()["duration_ms"] == 1000
    assert runtime.asked == [(ID, 100), (ID, 0), (ID, 1000)]


@pytest.mark.parametrize("logs", ["-1", "1001", "all", ""])
async def test_logs_along_are_bounded(logs: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.get(f"{EXECUTION}?logs={logs}")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "named", ["exec-", "exec-1", ID[:-1], ID + "0", ID.upper(), "exec-zzzzzzzzzzzzz", "%20"]
)
@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/tasks"),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/events/paid"),
    ],
)
async def test_what_is_no_execution_id_is_an_unknown_execution(
    method: str, below: str, named: str
) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.request(method, f"/api/executions/{named}{below}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_execution")
    assert runtime.asked == []


@pytest.mark.parametrize("below", ["", "/logs", "/tasks"])
async def test_an_unknown_execution(below: str) -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError("unknown_execution", "there is none")
    async with connected(runtime) as client:
        answer = await client.get(EXECUTION + below)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_execution")


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("cancel", Status.RUNNING, 202),
        ("cancel", Status.CANCELLED, 200),
        ("cancel", Status.COMPLETED, 200),
        ("pause", Status.PAUSED, 200),
        ("resume", Status.RUNNING, 200),
        ("resume", Status.PENDING, 200),
    ],
)
async def test_control_answers_with_the_head(action: str, status: Status, expected: int) -> None:
    runtime = FakeRuntime()
    runtime.status = status
    async with connected(runtime) as client:
        answer = await client.post(f"{EXECUTION}/{action}")
    assert answer.status_code == expected
    assert answer.json()["status"] == status
    assert "inputs" not in answer.json()


@pytest.mark.parametrize("action", ["cancel", "pause", "resume"])
async def test_control_takes_no_body(action: str) -> None:
    async with connected(FakeRuntime()) as client:
        empty = await client.post(f"{EXECUTION}/{action}", json={})
        answer = await client.post(f"{EXECUTION}/{action}", json={"reason": "why not"})
    assert empty.is_success
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == "/reason"


@pytest.mark.parametrize(
    ("action", "code"), [("pause", "already_paused"), ("resume", "not_paused")]
)
async def test_control_in_vain(action: str, code: str) -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError(code, "so it is")
    async with connected(runtime) as client:
        answer = await client.post(f"{EXECUTION}/{action}")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert "execution_status" not in answer.json()


async def test_tasks_are_shown_in_full() -> None:
    runtime = FakeRuntime()
    runtime.runs = [
        TaskRun(
            position="/observe",
            name="observe",
            kind="task",
            status="completed",
            attempt=2,
            started_at=NOW_MS,
            completed_at=NOW_MS,
            output=msgspec.Raw(b'{"rain":3}'),
        )
    ]
    async with connected(runtime) as client:
        [task] = (await client.get(f"{EXECUTION}/tasks")).json()["tasks"]
    assert task["output"] == {"rain": 3}
    assert "input" not in task
    assert "error" not in task


# -- events ----------------------------------------------------------------------------------


async def test_an_event_is_received_once_under_its_id() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        url = f"{EXECUTION}/events/paid"
        first = await client.post(url, json={"data": {"amount": 3}, "id": "e1"})
        again = await client.post(url, json={"data": {"amount": 3}, "id": "e1"})
    assert (first.status_code, again.status_code) == (202, 200)
    receipt = {"execution_id": ID, "name": "paid", "id": "e1"}
    assert first.json() == {**receipt, "duplicate": False}
    assert again.json() == {**receipt, "duplicate": True}
    assert runtime.asked == [(ID, "paid", b'{"amount":3}', "e1")] * 2


@pytest.mark.parametrize("data", [b"null", b"0", b'"text"', b"[1, 2]", b'{"a": [true]}'])
async def test_an_event_has_any_json(data: bytes) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            f"{EXECUTION}/events/paid",
            content=b'{"data": %s}' % data,
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == 202
    assert runtime.asked == [(ID, "paid", data, None)]


async def test_an_event_needs_no_data() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        await client.post(f"{EXECUTION}/events/paid")
    assert runtime.asked == [(ID, "paid", b"null", None)]


@pytest.mark.parametrize(
    ("path", "name"),
    [("order%2Fpaid", "order/paid"), ("a%20b", "a b"), ("%C3%BC", "ü"), ("n" * 256, "n" * 256)],
)
async def test_an_event_has_any_name(path: str, name: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(f"{EXECUTION}/events/{path}")
    assert answer.json()["name"] == name


@pytest.mark.parametrize("name", ["", "n" * 257])
async def test_the_name_of_an_event_is_bounded(name: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.post(f"{EXECUTION}/events/{name}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == "{name}"


@pytest.mark.parametrize(
    ("body", "status", "location"),
    [
        (b'{"id": ""}', 422, "/id"),
        (b'{"id": 7}', 422, "/id"),
        (b'{"id": "%s"}' % (b"i" * 257), 422, "/id"),
        (b'{"date": 1}', 422, "/date"),
        (b'{"data": "%s"}' % (b"d" * 2 * 1024 * 1024), 413, "/data"),
        (b'{"data": %s}' % (b"[" * 101 + b"]" * 101), 422, "/data"),
        (b'{"data": 1e999}', 422, "/data"),
    ],
)
async def test_a_bad_event_is_refused(body: bytes, status: int, location: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            f"{EXECUTION}/events/paid", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == status
    assert answer.json()["errors"][0]["location"] == location
    assert runtime.asked == []


async def test_an_ended_execution_shows_how_long_it_ran() -> None:
    runtime = FakeRuntime()
    runtime.whole = Execution(head=a_head(status=Status.FAILED), inputs=msgspec.Raw(b"{}"))
    async with connected(runtime) as client:
        assert (await client.get(EXECUTION)).json()["duration_ms"] == 1000
