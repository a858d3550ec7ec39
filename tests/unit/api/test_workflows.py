"""`/api/workflows` and what is below it."""

from typing import Any

import httpx
import pytest

from perdure.ports.runtime import Health, Offer, RefusedError, Served
from tests.unit.api.fakes import NOW, NOW_MS, FakeRuntime, connected

WEATHER = Served(
    workflow_id="weather",
    version="2",
    digest="d",
    title="Weather",
    tags={"team": "a"},
    timeout_ms=5000,
    input_schema=b'{"type":"object"}',
    source="async def weather(): ...",
)
SHOWN = {
    "workflow_id": "weather",
    "version": "2",
    "kind": "python",
    "title": "Weather",
    "tags": {"team": "a"},
    "digest": "d",
    "timeout_ms": 5000,
    "retired_at": None,
    "input_schema": {"type": "object"},
    "unsupported": [],
}


def offers(*ids: str) -> list[Offer]:
    return [Offer(Served(workflow_id=id, version="1", digest="d")) for id in ids]


async def get(runtime: FakeRuntime, path: str) -> httpx.Response:
    async with connected(runtime) as client:
        return await client.get(path)


async def pages(runtime: FakeRuntime, path: str, member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        separator = "&" if "?" in path else "?"
        answer = await get(runtime, path + (f"{separator}cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200
        found += answer.json()[member]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_lists_what_can_be_executed_and_what_was_not_loaded() -> None:
    runtime = FakeRuntime()
    runtime.offered = [Offer(WEATHER)]
    runtime.state = Health(ready=True, workers=1, running=0, pending=0, problems=["a.py: why"])
    answer = await get(runtime, "/api/workflows")
    assert answer.json() == {"workflows": [SHOWN], "problems": ["a.py: why"], "next_cursor": None}
    assert runtime.asked == [("", 101, False)]


async def test_a_list_comes_in_pages() -> None:
    runtime = FakeRuntime()
    runtime.offered = offers("a", "b", "c", "d", "e")
    found = await pages(runtime, "/api/workflows?limit=2&retired=true", "workflows")
    assert [each["workflow_id"] for each in found] == ["a", "b", "c", "d", "e"]
    assert runtime.asked == [("", 3, True), ("b", 3, True), ("d", 3, True)]


async def test_a_cursor_belongs_to_its_list() -> None:
    runtime = FakeRuntime()
    runtime.offered = offers("a", "b")
    cursor = (await get(runtime, "/api/workflows?limit=1")).json()["next_cursor"]
    for path in ("/api/workflows?retired=true&", "/api/workflows/a/versions?"):
        answer = await get(runtime, f"{path}cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "query",
    ["kind=python", "limit=0", "limit=201", "limit=x", "retired=perhaps", "retired=", "limit="],
)
async def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    answer = await get(FakeRuntime(), f"/api/workflows?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == "?" + query.partition("=")[0]


async def test_shows_the_version_that_is_executed_with_its_source() -> None:
    runtime = FakeRuntime()
    runtime.offered = [Offer(WEATHER, NOW_MS), *offers("weather")]
    for path in ("/api/workflows/weather", "/api/workflows/weather/versions/2"):
        answer = await get(runtime, path)
        assert answer.json() == {**SHOWN, "retired_at": NOW, "source": WEATHER.source}
    assert (await get(runtime, "/api/workflows/weather/versions/1")).json()["source"] is None


async def test_lists_versions_without_sources_in_pages() -> None:
    runtime = FakeRuntime()
    served = [Served(workflow_id="w", version=str(n), digest="d", source="s") for n in range(5)]
    runtime.offered = [Offer(each) for each in served]
    found = await pages(runtime, "/api/workflows/w/versions?limit=2", "versions")
    assert [each["version"] for each in found] == ["0", "1", "2", "3", "4"]
    assert not [each for each in found if "source" in each]


async def test_a_version_is_any_text() -> None:
    runtime = FakeRuntime()
    runtime.offered = [Offer(Served(workflow_id="w", version="2026/02 ü", digest="d"))]
    answer = await get(runtime, "/api/workflows/w/versions/2026%2F02%20%C3%BC")
    assert answer.json()["version"] == "2026/02 ü"
    answer = await get(runtime, "/api/workflows/w/versions/2026")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version")


@pytest.mark.parametrize("below", ["", "/versions", "/versions/1"])
@pytest.mark.parametrize("named", ["a%20b", "a" * 129, "%C3%BC", "a%00", "~"])
async def test_what_is_no_id_is_an_unknown_workflow(named: str, below: str) -> None:
    answer = await get(FakeRuntime(), f"/api/workflows/{named}{below}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_workflow")


@pytest.mark.parametrize("below", ["", "/versions", "/versions/1"])
async def test_an_unknown_workflow(below: str) -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError("unknown_workflow", "there is none")
    answer = await get(runtime, f"/api/workflows/w{below}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_workflow")


async def test_retires() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.delete("/api/workflows/weather")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers
    assert runtime.retired == ["weather"]


async def test_retiring_takes_neither_query_nor_body() -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        queried = await client.delete("/api/workflows/weather?version=1")
        sent = await client.request("DELETE", "/api/workflows/weather", json={"version": "1"})
    assert (queried.status_code, sent.status_code) == (422, 422)
    assert runtime.retired == []


@pytest.mark.parametrize(
    ("code", "status"), [("unknown_workflow", 404), ("not_ready", 503), ("storage_failed", 503)]
)
async def test_retiring_in_vain(code: str, status: int) -> None:
    runtime = FakeRuntime()
    runtime.refusal = RefusedError(code, "so it is")
    async with connected(runtime) as client:
        answer = await client.delete("/api/workflows/weather")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
