"""A page of a log: how what is asked for reaches the runtime, and what is refused."""

from typing import Any

import pytest

from perdure.api import cursors
from perdure.ports.logs import EVERY_LINE, LogFilter, LogQuery
from tests.unit.api.fakes import ID, NOW, NOW_MS, FakeRuntime, connected
from tests.unit.api.test_pages import with_many

LOGS = f"/api/executions/{ID}/logs"
FILTERS: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("level=INFO", {"levels": ("INFO",)}),
    ("level=ERROR&level=INFO&level=INFO", {"levels": ("INFO", "ERROR")}),
    ("level=ERROR&level=INFO&level=WARNING", {}),
    ("min_level=INFO", {}),
    ("min_level=WARNING", {"levels": ("WARNING", "ERROR")}),
    ("min_level=ERROR", {"levels": ("ERROR",)}),
    ("min_level=WARNING&level=INFO&level=ERROR", {"levels": ("ERROR",)}),
    ("min_level=ERROR&level=INFO", {"levels": ()}),
    ("task=observe", {"task": "observe"}),
    ("task=/observe@1", {"position": "/observe@1"}),
    ("task=%2Fgather%2F0%2Fobserve", {"position": "/gather/0/observe"}),
    ("task=a/b", {"task": "a/b"}),
    (f"since={NOW}", {"since": NOW_MS}),
    ("since=2026-02-23T17:30:00.123%2B01:00", {"since": NOW_MS}),
    ("since=2026-02-23T16:30:00.1221Z", {"since": NOW_MS}),
    (f"until={NOW}", {"until": NOW_MS}),
    ("until=2026-02-23T16:30:00.122999Z", {"until": NOW_MS}),
    ("until=0001-01-01T00:00:00%2B14:00", {"until": -62135647200000}),
    ("q=Wet", {"text": "Wet"}),
    ("q=%E2%98%94%20%00%25", {"text": "☔ \0%"}),
]
BAD = [
    ("level=DEBUG", "?level"),
    ("level=info", "?level"),
    ("level=", "?level"),
    ("level=INFO&level=", "?level"),
    ("level=INFO,ERROR", "?level"),
    ("&".join(["level=INFO"] * 21), "?level"),
    ("min_level=debug", "?min_level"),
    ("min_level=INFO&min_level=INFO", "?min_level"),
    ("task=", "?task"),
    ("task=a&task=b", "?task"),
    ("task=" + "x" * 4097, "?task"),
    ("since=2026-02-23T16:30:00", "?since"),
    ("since=2026-02-23T16:30:00+01:00", "?since"),
    ("since=2026-02-30T16:30:00Z", "?since"),
    ("since=1771864200", "?since"),
    ("since=yesterday", "?since"),
    ("until=", "?until"),
    ("until=null", "?until"),
    ("q=", "?q"),
    ("q=" + "x" * 257, "?q"),
    ("q=a&q=b", "?q"),
    ("order=", "?order"),
    ("order=asc", "?order"),
    ("order=-timestamp", "?order"),
    ("Level=INFO", "?Level"),
    ("levels=INFO", "?levels"),
]


@pytest.mark.parametrize(("query", "fields"), FILTERS)
async def test_what_is_asked_for_reaches_the_runtime(query: str, fields: dict[str, Any]) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{LOGS}?{query}")
    assert answer.status_code == 200, answer.text
    wanted = LogFilter(**fields)
    assert runtime.asked == [(ID, LogQuery(filter=wanted), 1000)]


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/download"])
@pytest.mark.parametrize(("query", "location"), BAD)
async def test_what_is_not_understood_is_refused_by_name(
    path: str, query: str, location: str
) -> None:
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [error["location"] for error in answer.json()["errors"]] == [location]
    assert runtime.asked == []


async def test_the_newest_come_first_where_that_is_the_order() -> None:
    seen: list[int] = []
    async with connected(with_many(10)) as client:
        params = {"order": "-seq", "limit": "4"}
        while True:
            page = (await client.get(LOGS, params=params)).json()
            seen += [line["seq"] for line in page["logs"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
    assert seen == list(range(10, 0, -1))


async def test_a_cursor_is_good_for_its_filters_and_order_only() -> None:
    """Filters that say the same in other words are the same."""
    queries = [query for query, fields in FILTERS if fields] + ["", "order=-seq"]
    runtime = with_many(3)
    async with connected(runtime) as client:
        for query in queries:
            cursor = (await client.get(f"{LOGS}?limit=1&{query}")).json()["next_cursor"]
            for other in queries:
                answer = await client.get(f"{LOGS}?{other}&cursor={cursor}")
                fits = _meaning(query) == _meaning(other)
                assert answer.status_code == (200 if fits else 400), (query, other)


def _meaning(query: str) -> tuple[str, str]:
    return str(dict(FILTERS).get(query)), "-" if query == "order=-seq" else ""


async def test_a_cursor_is_good_for_any_limit() -> None:
    async with connected(with_many(5)) as client:
        cursor = (await client.get(f"{LOGS}?limit=1")).json()["next_cursor"]
        page = (await client.get(f"{LOGS}?limit=2&order=seq&cursor={cursor}")).json()
    assert [line["seq"] for line in page["logs"]] == [2, 3]


@pytest.mark.parametrize("place", ["", "-1", "x", "1.5", "٣", "9" * 19, "1 "])
async def test_a_cursor_that_was_made_up_is_refused(place: str) -> None:
    runtime = with_many(3)
    names = {
        LOGS: f'logs of {ID} by seq: {{"levels":null,"task":null,"position":null,'
        '"since":null,"until":null,"text":null}',
        f"/api/executions/{ID}/tasks": f"tasks of {ID}",
    }
    async with connected(runtime) as client:
        for path, belongs_to in names.items():
            right = cursors.written(belongs_to, "1")
            assert (await client.get(f"{path}?cursor={right}")).status_code == 200
            made_up = cursors.written(belongs_to, place)
            answer = await client.get(f"{path}?cursor={made_up}")
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), path


def test_no_filter_is_the_same_as_none() -> None:
    assert LogFilter() == EVERY_LINE
