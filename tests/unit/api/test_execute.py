"""`POST /api/workflows/{workflow_id}/execute`."""

import json
from typing import Any

import msgspec
import pytest

from perdure.api.preferences import preferred_wait_s
from perdure.model.execution import Execution, LogRecord
from perdure.model.status import Status
from perdure.ports.runtime import StartRequest
from tests.unit.api.fakes import ID, NOW, NOW_MS, FakeRuntime, a_head, connected

EXECUTE = "/api/workflows/weather/execute"
LOCATION = f"/api/executions/{ID}"


async def refused(body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            EXECUTE, content=body, headers={"Content-Type": "application/json", **headers}
        )
    assert runtime.started == []
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


async def problems(body: object) -> dict[str, str]:
    status, problem = await refused(json.dumps(body).encode())
    assert (status, problem["code"]) == (422, "invalid_request")
    return {each["location"]: each["message"] for each in problem["errors"]}


async def test_answers_with_the_head_and_where_it_is() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={"inputs": {"query": "Oslo"}})
    assert answer.status_code == 202
    assert answer.headers["location"] == LOCATION
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "execution_id": ID,
        "workflow_id": "weather",
        "workflow_version": "1",
        "status": "running",
        "created_at": "2026-02-23T16:29:58.123Z",
        "started_at": "2026-02-23T16:29:59.123Z",
        "completed_at": None,
        "tags": {"team": "a"},
    }
    assert runtime.started == [
        StartRequest(workflow_id="weather", inputs=b'{"query":"Oslo"}', created_by="admin")
    ]
    assert runtime.waited == []


async def test_hands_on_all_that_the_body_says() -> None:
    runtime = FakeRuntime()
    body = {
        "inputs": {},
        "version": "1.2",
        "tags": {"k": "v"},
        "priority": -1000,
        "start_at": "2026-02-24T18:30:00.1231+02:00",
        "timeout": "1h30m",
    }
    async with connected(runtime, admin_key=None, token=None) as client:
        await client.post(EXECUTE, json=body)
    assert runtime.started == [
        StartRequest(
            workflow_id="weather",
            inputs=b"{}",
            version="1.2",
            tags={"k": "v"},
            priority=-1000,
            timeout_ms=5_400_000,
            start_at=NOW_MS + 86_400_000 + 1,
        )
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b' {"inputs": {}} '])
async def test_needs_no_inputs(body: bytes) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        headers = {"Content-Type": "application/json; charset=utf-8"} if body else {}
        answer = await client.post(EXECUTE, content=body, headers=headers)
    assert answer.status_code == 202
    assert [started.inputs for started in runtime.started] == [b"{}"]


async def test_the_last_of_two_equal_keys_counts() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        await client.post(
            EXECUTE,
            content=b'{"priority": 1, "priority": 2}',
            headers={"Content-Type": "application/json"},
        )
    assert runtime.started[0].priority == 2


# -- Prefer: wait ----------------------------------------------------------------------------


async def test_waits_for_the_end_and_answers_with_all_of_it() -> None:
    runtime = FakeRuntime()
    runtime.whole = Execution(
        head=a_head(status=Status.COMPLETED),
        inputs=msgspec.Raw(b"{}"),
        result=msgspec.Raw(b'"sunny"'),
        logs=(LogRecord(seq=1, timestamp=NOW_MS, level="INFO", task=None, message="m"),),
    )
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={}, headers={"Prefer": "wait=10"})
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=10"
    assert answer.headers["location"] == LOCATION
    assert answer.json()["result"] == "sunny"
    assert answer.json()["duration_ms"] == 1000
    assert answer.json()["logs"][0]["timestamp"] == NOW
    assert runtime.waited == [10]
    assert runtime.asked == [(ID, 100)]


async def test_answers_with_the_head_of_that_moment_if_it_takes_longer() -> None:
    runtime = FakeRuntime()
    runtime.status = Status.PENDING
    runtime.ends_in_time = False
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={}, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
    assert answer.json()["status"] == "running"
    assert "result" not in answer.json()


async def test_a_whole_number_may_be_written_with_a_fraction() -> None:
    """JSON Schema takes it for an integer; values are left as they were written."""
    runtime = FakeRuntime()
    headers = {"Content-Type": "application/json"}
    async with connected(runtime) as client:
        right = b'{"inputs": {"n": 5.0}, "priority": -5.0}'
        answer = await client.post(EXECUTE, content=right, headers=headers)
        wrong = await client.post(EXECUTE, content=b'{"priority": 5e3, "no": 1}', headers=headers)
    assert answer.status_code == 202
    assert (runtime.started[0].priority, runtime.started[0].inputs) == (-5, b'{"n": 5.0}')
    assert [each["location"] for each in wrong.json()["errors"]] == ["/no", "/priority"]


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([b"wait=10"], 10),
        ([b"WAIT = 10"], 10),
        ([b'wait="10"'], 10),
        ([b"respond-async, wait=10; foo=bar"], 10),
        ([b"respond-async", b"wait=10"], 10),
        ([b"wait=3, wait=4"], 3),
        ([b"wait=61"], 60),
        ([b"wait=999999999"], 60),
        ([b"wait=0"], 0),
        ([b"wait"], 0),
        ([b"wait=ten"], 0),
        ([b"wait=-1"], 0),
        ([b"wait=1.5"], 0),
        ([b"wait=1234567890123"], 0),
        ([b"waiting=10"], 0),
        ([b""], 0),
        ([], 0),
    ],
)
def test_reads_how_long_to_wait(lines: list[bytes], seconds: int) -> None:
    assert preferred_wait_s(lines) == seconds


async def test_a_preference_that_is_not_understood_is_not_kept() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={}, headers={"Prefer": "wait=soon"})
    assert answer.status_code == 202
    assert runtime.waited == []


# -- bad bodies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "offset", "where"),
    [
        (b"{", 1, "line 1, column 2"),
        (b'{\n "inputs": nope}', 14, "line 2, column 13"),
        (b'{"inputs": {"a": NaN}}', 17, "line 1, column 18"),
        (b'{"inputs": {"a": Infinity}}', 17, "line 1, column 18"),
        (b'{"inputs": {}} {}', 15, "line 1, column 16"),
        (b'{"inputs": {"a": "\x01"}}', 18, "line 1, column 19"),
        (b'\xef\xbb\xbf{"inputs": {}}', 0, "line 1, column 1"),
        (b'{"inputs": {"a": "\\\\ud800 \\ud83d\\ude00 \\ud800"}}', 39, "surrogate"),
        (b'{"inputs": {"a": "\xff"}}', 18, "not UTF-8"),
        (b'{"inputs": {"a": "\xed\xa0\x80"}}', 18, "not UTF-8"),
        (b'"' + b"a" * 1_000_000, 1_000_001, "ends before"),
        (b" ", 1, "ends before"),
    ],
)
async def test_broken_json_is_shown_where_it_breaks(body: bytes, offset: int, where: str) -> None:
    status, problem = await refused(body)
    assert (status, problem["code"]) == (400, "invalid_json")
    assert problem["offset"] == offset
    assert where in problem["detail"]


@pytest.mark.parametrize(
    ("body", "location", "message"),
    [
        ([], "", "Expected `object`, got `array`"),
        (7, "", "Expected `object`, got `number`"),
        ({"inputs": []}, "/inputs", "Expected `object`, got `array`"),
        ({"inputs": None}, "/inputs", "Expected `object`, got `null`"),
        ({"inputs": "text"}, "/inputs", "Expected `object`, got `string`"),
        ({"input": {}}, "/input", "is not known; did you mean 'inputs'?"),
        ({"start": "tomorrow"}, "/start", "is not known; did you mean 'start_at'?"),
        ({"start_at": 1771864200}, "/start_at", "Expected `datetime | null`, got `int`"),
        ({"start_at": "2036-03-06T16:30:01Z"}, "/start_at", "is more than ten years ahead"),
        ({"start_at": "9999-12-31T23:59:59Z"}, "/start_at", "is more than ten years ahead"),
        ({"a/b~c": 1}, "/a~1b~0c", "is not known"),
        ({"version": 1}, "/version", "Expected `str | null`, got `int`"),
        ({"version": ""}, "/version", "Expected `str` of length >= 1"),
        ({"priority": "high"}, "/priority", "Expected `int`, got `str`"),
        ({"priority": 1.5}, "/priority", "Expected `int`, got `float`"),
        ({"priority": True}, "/priority", "Expected `int`, got `bool`"),
        ({"priority": 1001}, "/priority", "Expected `int` <= 1000"),
        ({"priority": -1001}, "/priority", "Expected `int` >= -1000"),
        ({"priority": 10**40}, "/priority", "Expected `int` <= 1000"),
        ({"tags": []}, "/tags", "Expected `object`, got `array`"),
        ({"tags": {"a": 1}}, "/tags/a", "Expected `str`, got `int`"),
        ({"tags": {"a": "v" * 257}}, "/tags/a", "Expected `str` of length <= 256"),
        ({"tags": {"": "v"}}, "/tags/", "Expected `str` of length >= 1"),
        ({"tags": {"k" * 129: "v"}}, "/tags/" + "k" * 128, "Expected `str` of length <= 128"),
        (
            {"tags": {str(n): "" for n in range(65)}},
            "/tags",
            "Expected `object` of length <= 64",
        ),
        ({"timeout": 30}, "/timeout", "Expected `str | null`, got `int`"),
    ],
)
async def test_a_wrong_field_is_located(body: object, location: str, message: str) -> None:
    assert await problems(body) == {location: message}


async def test_everything_wrong_is_said_at_once() -> None:
    body = {"nope": 1, "priority": "x", "tags": {"a": 1, "b": "ok", "c": None}, "version": []}
    assert list(await problems(body)) == ["/nope", "/version", "/tags/a", "/tags/c", "/priority"]


async def test_what_is_wrong_is_listed_up_to_a_bound() -> None:
    assert len(await problems({f"field{n}": n for n in range(10_000)})) == 100


@pytest.mark.parametrize("timeout", ["soon", "10", "-1s", "0s", "1000000w"])
async def test_a_timeout_is_a_duration(timeout: str) -> None:
    assert list(await problems({"timeout": timeout})) == ["/timeout"]


@pytest.mark.parametrize(
    "moment", ["tomorrow", "", "2026-02-23", "2026-02-23T16:30:00", "2026-02-30T00:00:00Z", "0"]
)
async def test_a_moment_is_a_time_with_a_zone(moment: str) -> None:
    assert list(await problems({"start_at": moment})) == ["/start_at"]


@pytest.mark.parametrize("number", [b"1e999", b"-1e400"])
async def test_a_number_that_none_can_hold_is_refused(number: bytes) -> None:
    status, problem = await refused(b'{"inputs": {"a": %s}}' % number)
    assert status == 422
    assert problem["errors"][0]["location"] == "/inputs"


@pytest.mark.parametrize(
    "nested",
    [
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}",
    ],
    ids=["objects", "arrays", "beyond the decoder"],
)
async def test_deep_inputs_are_refused(nested: bytes) -> None:
    status, problem = await refused(b'{"inputs":%s}' % nested)
    assert (status, problem["code"]) == (422, "too_deep")


async def test_a_body_that_nests_without_end_is_refused() -> None:
    status, problem = await refused(b'{"inputs":' * 300_000)
    assert (status, problem["code"]) == (422, "too_deep")


@pytest.mark.parametrize(
    "inputs",
    [
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b'{"a":[' + b",".join([b'{"b":[]}'] * 1000) + b"]}",
        b'{"a":"' + b"[{" * 1000 + b'"}',
    ],
    ids=["at the limit", "wide", "within a text"],
)
async def test_inputs_that_are_not_deep_pass(inputs: bytes) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            EXECUTE,
            content=b'{"inputs":%s}' % inputs,
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == 202
    assert runtime.started[0].inputs == inputs


async def test_a_value_over_its_limit_is_refused() -> None:
    status, problem = await refused(b'{"inputs":{"a":"%s"}}' % (b"a" * 2 * 1024 * 1024))
    assert (status, problem["code"]) == (413, "too_large")
    assert problem["errors"][0]["location"] == "/inputs"


async def test_a_body_over_its_limit_is_refused_also_in_pieces() -> None:
    async def pieces() -> Any:
        for _ in range(50):
            yield b" " * 100_000

    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            EXECUTE, content=pieces(), headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert runtime.started == []


async def test_a_body_may_come_in_pieces() -> None:
    async def pieces() -> Any:
        for piece in (b'{"inpu', b'ts": {"a"', b": 1}}"):
            yield piece

    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.post(
            EXECUTE, content=pieces(), headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 202
    assert runtime.started[0].inputs == b'{"a": 1}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonl"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
    ],
)
async def test_another_content_type_is_refused(headers: dict[str, str]) -> None:
    status, problem = await refused(b"{}", **headers)
    assert (status, problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("workflow_id", ["a%20b", "a" * 129, "ü", "a%00"])
async def test_what_is_no_workflow_id_is_an_unknown_workflow(workflow_id: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.post(f"/api/workflows/{workflow_id}/execute", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_workflow")


async def test_takes_no_query() -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.post(f"{EXECUTE}?wait=10", json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"] == [
        {"location": "?wait", "message": "is not known; none is taken here"}
    ]
