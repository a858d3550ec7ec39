"""Every code of the table is documented, and produced by a request here."""

from typing import Any

import httpx
import pytest

from perdure.api.problems import CODES, TYPE_PREFIX
from perdure.api.routes import ANY_ROUTE, ROUTES, WITH_BODY, WITH_TOKEN
from perdure.model.execution import Execution
from perdure.model.status import Status
from perdure.ports.runtime import Health, Problem, RefusedError
from tests.unit.api.fakes import ID, FakeRuntime, a_head, connected

EXECUTE = "/api/workflows/weather/execute"

# How a request of the API's own making is refused: method, path, arguments.
REFUSED_BY_THE_API: dict[str, tuple[str, str, dict[str, Any]]] = {
    "invalid_json": ("POST", EXECUTE, {"content": "{"}),
    "invalid_cursor": ("GET", "/api/executions?cursor=abc", {}),
    "unauthorized": ("GET", "/api/executions", {"headers": {"Authorization": "Bearer no"}}),
    "forbidden_origin": ("POST", EXECUTE, {"headers": {"Origin": "http://elsewhere.test"}}),
    "not_found": ("GET", "/api/nothing", {}),
    "method_not_allowed": ("DELETE", "/api/executions", {}),
    "too_large": ("POST", EXECUTE, {"content": b" " * (4 * 1024 * 1024 + 1)}),
    "unsupported_media_type": (
        "POST",
        EXECUTE,
        {"content": "{}", "headers": {"Content-Type": "text/plain"}},
    ),
    "invalid_request": ("POST", EXECUTE, {"json": {"start_at": "tomorrow"}}),
    "too_deep": ("POST", EXECUTE, {"content": '{"inputs":' + '{"a":' * 101 + "1" + "}" * 102}),
    "invalid_idempotency_key": ("POST", EXECUTE, {"headers": {"Idempotency-Key": ""}}),
}
# The codes of the engine's refusals: the status, and a request that may be refused so.
REFUSED_BY_THE_ENGINE = {
    "unknown_workflow": (404, EXECUTE),
    "unknown_version": (404, EXECUTE),
    "workflow_retired": (410, EXECUTE),
    "idempotency_mismatch": (422, EXECUTE),
    "unknown_execution": (404, f"/api/executions/{ID}/cancel"),
    "invalid_inputs": (422, EXECUTE),
    "unsupported_task": (422, EXECUTE),
    "invalid_document": (422, "/api/workflows"),
    "version_conflict": (409, "/api/workflows"),
    "registry_full": (409, "/api/workflows"),
    "not_paused": (409, f"/api/executions/{ID}/resume"),
    "already_paused": (409, f"/api/executions/{ID}/pause"),
    "conflict": (409, f"/api/executions/{ID}/resume"),
    "inbox_full": (429, f"/api/executions/{ID}/events/paid"),
    "overloaded": (503, EXECUTE),
    "storage_failed": (503, EXECUTE),
    "shutting_down": (503, EXECUTE),
}
OF_THE_HTTP_SERVER = {"malformed_request", "too_slow", "head_too_large", "too_many_connections"}
"""Produced in tests/acceptance/test_hostile_requests.py."""
ELSEWHERE = {"already_ended", "not_ready", "internal_error", *OF_THE_HTTP_SERVER}


def expect_problem(answer: httpx.Response, code: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert body["type"] == TYPE_PREFIX + code
    assert body["title"] == CODES[code].title
    assert body["status"] == answer.status_code == CODES[code].status
    assert body["detail"]


def test_every_code_is_documented_and_produced_here() -> None:
    assert set(CODES) == {*REFUSED_BY_THE_API, *REFUSED_BY_THE_ENGINE, *ELSEWHERE}
    for code in CODES.values():
        assert code.title
        assert code.meaning.endswith(".")
        assert 400 <= code.status < 600


def test_every_code_belongs_to_a_route() -> None:
    of_routes = frozenset[str]().union(*(route.codes for route in ROUTES))
    assert of_routes | ANY_ROUTE | WITH_BODY | WITH_TOKEN == set(CODES)


@pytest.mark.parametrize("code", REFUSED_BY_THE_API)
async def test_the_api_refuses(code: str) -> None:
    method, path, arguments = REFUSED_BY_THE_API[code]
    headers = {"Content-Type": "application/json", **arguments.get("headers", {})}
    arguments = {**arguments, "headers": headers}
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.request(method, path, **arguments)
    expect_problem(answer, code)
    assert runtime.started == []


@pytest.mark.parametrize("code", REFUSED_BY_THE_ENGINE)
async def test_the_engine_refuses(code: str) -> None:
    status, path = REFUSED_BY_THE_ENGINE[code]
    runtime = FakeRuntime()
    runtime.refusal = RefusedError(code, "so it is", problems=[Problem("/inputs/n", "is no")])
    async with connected(runtime) as client:
        answer = await client.post(path, json={})
    expect_problem(answer, code)
    assert answer.status_code == status
    assert answer.json()["detail"] == "so it is"
    assert answer.json()["errors"] == [{"location": "/inputs/n", "message": "is no"}]
    assert ("retry-after" in answer.headers) == (status in (429, 503))


async def test_the_engine_knows_best_when_to_come_again() -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError("overloaded", "full", retry_after_s=17)
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={})
    assert answer.headers["retry-after"] == "17"


async def test_not_ready_says_why() -> None:
    runtime = FakeRuntime()
    runtime.state = Health(
        ready=False, workers=0, running=0, pending=0, problems=["no worker", "no disk"]
    )
    async with connected(runtime, token=None) as client:
        answer = await client.get("/readyz")
    expect_problem(answer, "not_ready")
    assert answer.json()["detail"] == "no worker; no disk"
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "fault", [RuntimeError("the secret is 42"), RefusedError("a_code_nobody_knows", "hm")]
)
async def test_an_unexpected_fault_is_logged_and_not_shown(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = FakeRuntime()
    runtime.refusal = fault
    async with connected(runtime) as client:
        answer = await client.post(EXECUTE, json={})
    expect_problem(answer, "internal_error")
    assert str(fault) not in answer.text
    [record] = [each for each in caplog.records if each.name == "perdure.api.problems"]
    assert answer.json()["request_id"] in record.getMessage()
    assert EXECUTE in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is fault


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "events/paid"])
async def test_a_refusal_after_the_end_says_which(action: str) -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError("already_ended", "it is over")
    runtime.whole = Execution(head=a_head(status=Status.FAILED), inputs=runtime.whole.inputs)
    async with connected(runtime) as client:
        answer = await client.post(f"/api/executions/{ID}/{action}")
    expect_problem(answer, "already_ended")
    assert answer.json()["execution_status"] == "failed"
    assert answer.json()["status"] == 409
