"""Lists: executions, logs and tasks, page by page."""

import httpx
import pytest

from perdure.api import cursors
from perdure.model.execution import LogRecord, TaskRun
from perdure.model.identifiers import execution_id
from perdure.ports.executions import ListRequest
from tests.unit.api.fakes import ID, NOW_MS, FakeRuntime, a_head, connected

OTHER = execution_id(NOW_MS << 21 | 1)
LISTS = {
    "/api/executions": ("executions", 50, 200),
    f"/api/executions/{ID}/logs": ("logs", 1000, 10_000),
    f"/api/executions/{ID}/tasks": ("tasks", 100, 1000),
}


def with_many(count: int) -> FakeRuntime:
    runtime = FakeRuntime()
    runtime.heads = [a_head(execution_id((NOW_MS - n) << 21)) for n in range(count)]
    runtime.lines = [
        LogRecord(seq=n + 1, timestamp=NOW_MS, level="INFO", task=None, message=f"line {n}")
        for n in range(count)
    ]
    runtime.runs = [
        TaskRun(
            position=f"/t@{n}",
            name="t",
            kind="task",
            status="completed",
            attempt=1,
            started_at=NOW_MS,
        )
        for n in range(count)
    ]
    return runtime


async def cursor_of(client: httpx.AsyncClient, path: str) -> str:
    cursor = (await client.get(path, params={"limit": 1})).json()["next_cursor"]
    assert isinstance(cursor, str)
    return cursor


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3, 10, 11])
async def test_following_the_cursor_shows_everything_once(path: str, limit: int) -> None:
    name = LISTS[path][0]
    async with connected(with_many(10)) as client:
        everything = (await client.get(path)).json()[name]
        seen: list[object] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
            page = (await client.get(path, params=params)).json()
            assert list(page) == [name, "next_cursor"]
            assert 1 <= len(page[name]) <= limit
            seen += page[name]
            cursor = page["next_cursor"]
    assert seen == everything
    assert len(seen) == 10


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_list_is_one_empty_page(path: str) -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {LISTS[path][0]: [], "next_cursor": None}


@pytest.mark.parametrize("path", LISTS)
async def test_limits_have_a_default_and_a_highest(path: str) -> None:
    _, default, highest = LISTS[path]
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        await client.get(path)
        await client.get(path, params={"limit": highest})
        too_many = await client.get(path, params={"limit": highest + 1})
    asked = [
        first.limit if isinstance(first, ListRequest) else int(str(rest[1]))
        for first, *rest in runtime.asked
    ]
    over = 1 if path.endswith("/tasks") else 0
    assert asked == [default + over, highest + over]
    assert too_many.json()["errors"] == [
        {"location": "?limit", "message": f"Expected `int` <= {highest}"}
    ]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=9999999999999999999999",
        "limit=",
        "limit",
        "limit=ten",
        "limit=1.5",
        "limit=%D9%A5",
        "limit=%FF",
        "limit=1&limit=1",
        "phase=running",
        "Limit=1",
        "=1",
        "&".join(f"p{n}=1" for n in range(101)),
    ],
)
async def test_a_query_that_is_not_understood_is_refused(path: str, query: str) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert runtime.asked == []


async def test_problems_of_a_query_are_located() -> None:
    async with connected(FakeRuntime()) as client:
        answer = await client.get("/api/executions?limt=5&cursor=a&cursor=b")
    assert answer.json()["errors"] == [
        {"location": "?cursor", "message": "is given more than once"},
        {"location": "?limt", "message": "is not known; did you mean 'limit'?"},
    ]


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_that_was_tampered_with_is_refused(path: str) -> None:
    async with connected(with_many(3)) as client:
        cursor = await cursor_of(client, path)
        changed = [
            cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in (0, 9)
        ]
        for wrong in (*changed, cursor[:-1], cursor + "A", cursor + "=", "x", "%", "ü" * 9):
            answer = await client.get(path, params={"cursor": wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), wrong
        assert (await client.get(path, params={"cursor": cursor})).status_code == 200


async def test_a_cursor_is_good_for_its_list_only() -> None:
    async with connected(with_many(3)) as client:
        found = {path: await cursor_of(client, path) for path in LISTS}
        found[f"/api/executions/{OTHER}/logs"] = await cursor_of(
            client, f"/api/executions/{OTHER}/logs"
        )
        for path, cursor in found.items():
            for other in found:
                answer = await client.get(other, params={"cursor": cursor})
                assert answer.status_code == (200 if other == path else 400)


def test_a_cursor_carries_any_place() -> None:
    for place in ("", "5", "exec-ü", "a" * 100):
        assert cursors.place("list", cursors.written("list", place)) == place
    assert cursors.place("list", "A" * 10_000) is None
