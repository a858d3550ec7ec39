"""The list of executions: what its filters ask of the runtime, and what is refused."""

from collections.abc import Sequence

import httpx
import msgspec
import pytest

from perdure.api import cursors
from perdure.api.lists import list_name
from perdure.api.queries import ExecutionsQuery
from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.executions import ListRequest, Order
from tests.unit.api.fakes import ID, NOW_MS, FakeRuntime, a_head, connected

PATH = "/api/executions"


async def asked(query: str) -> ListRequest:
    """What the runtime is asked for."""
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    ((request,),) = runtime.asked
    assert isinstance(request, ListRequest)
    return request


async def refused(query: str) -> list[tuple[str, str]]:
    """Where and why a query is refused."""
    runtime = FakeRuntime()
    async with connected(runtime) as client:
        answer = await client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert runtime.asked == []
    return [(each["location"], each["message"]) for each in answer.json()["errors"]]


async def test_without_filters_the_newest_come_first() -> None:
    assert await asked("") == ListRequest(order=Order.NEWEST_CREATED, limit=50)


async def test_every_filter_reaches_the_runtime() -> None:
    assert await asked(
        "workflow_id=a&workflow_id=b.c&status=failed&status=paused&tag=team:x&tag=url:http://y"
        "&created_by=admin&created_after=1970-01-01T00:00:01Z&created_before=1970-01-01T01:00:02%2B01:00"
        "&started_after=1970-01-01T00:00:00.0031Z&started_before=1969-12-31T23:59:59.9999Z"
        "&q=No%20such&order=-completed_at&limit=7&total=true"
    ) == ListRequest(
        workflow_ids=frozenset({"a", "b.c"}),
        statuses=frozenset({Status.FAILED, Status.PAUSED}),
        tags=frozenset({"team:x", "url:http://y"}),
        created_by="admin",
        created_after=1000,
        created_before=2000,
        started_after=4,
        started_before=0,
        text="No such",
        order=Order.NEWEST_COMPLETED,
        limit=7,
        total=True,
    )


@pytest.mark.parametrize(
    ("query", "location", "word"),
    [
        ("workflow_id=", "?workflow_id", "regex"),
        ("workflow_id=a%20b", "?workflow_id", "regex"),
        ("workflow_id=a%00", "?workflow_id", "regex"),
        ("workflow_id=" + "a" * 129, "?workflow_id", "regex"),
        ("&".join(f"workflow_id=w{n}" for n in range(21)), "?workflow_id", "<= 20"),
        ("status=", "?status", "'pending'"),
        ("status=Failed", "?status", "'failed'"),
        ("status=failed,running", "?status", "'failed,running'"),
        ("tag=", "?tag", "regex"),
        ("tag=team", "?tag", "regex"),
        ("tag=:x", "?tag", "regex"),
        ("tag=team:" + "x" * 400, "?tag", "<= 385"),
        ("&".join(f"tag=t:{n}" for n in range(11)), "?tag", "<= 10"),
        ("created_by=", "?created_by", ">= 1"),
        ("created_by=a&created_by=b", "?created_by", "more than once"),
        ("created_after=", "?created_after", "ISO 8601"),
        ("created_after=2026-02-23T16:30:00", "?created_after", "zone"),
        ("created_before=1771864200", "?created_before", "ISO 8601"),
        ("started_after=yesterday", "?started_after", "ISO 8601"),
        ("started_before=2026-02-30T00:00:00Z", "?started_before", "ISO 8601"),
        ("started_before=2026-02-23T16:30:00+01:00", "?started_before", "%2B"),
        ("q=", "?q", ">= 1"),
        ("q=" + "x" * 257, "?q", "<= 256"),
        ("order=", "?order", "'-created_at'"),
        ("order=%2Bcreated_at", "?order", "'-created_at'"),
        ("order=duration", "?order", "'-created_at'"),
        ("total=1", "?total", "bool"),
        ("total=yes", "?total", "bool"),
        ("total=", "?total", "bool"),
        ("limit=0", "?limit", ">= 1"),
        ("limit=201", "?limit", "<= 200"),
        ("state=failed", "?state", "did you mean 'status'?"),
        ("created_at=2026-02-23T16:30:00Z", "?created_at", "not known"),
    ],
)
async def test_what_is_not_understood_is_named(query: str, location: str, word: str) -> None:
    ((found, message),) = await refused(query)
    assert found == location
    assert word in message


async def test_times_far_away_are_only_far_away() -> None:
    request = await asked(
        "created_after=0001-01-01T00:00:00%2B14:00&created_before=9999-12-31T23:59:59.999999-12:00"
    )
    assert request.created_after is not None
    assert request.created_after < -62_135_596_800_000
    assert request.created_before == 253_402_344_000_000


async def test_a_total_is_there_where_it_is_asked_for() -> None:
    runtime = FakeRuntime()
    runtime.heads = [a_head()]
    async with connected(runtime) as client:
        with_total = (await client.get(f"{PATH}?total=true")).json()
        without = (await client.get(f"{PATH}?total=false")).json()
    assert list(with_total) == ["executions", "next_cursor", "total", "total_is_exact"]
    assert (with_total["total"], with_total["total_is_exact"]) == (1, True)
    assert list(without) == ["executions", "next_cursor"]


async def cursor(client: httpx.AsyncClient, query: str) -> str:
    found = (await client.get(f"{PATH}?{query}&limit=1")).json()["next_cursor"]
    assert isinstance(found, str)
    return found


async def codes(query: str, others: Sequence[str]) -> list[int]:
    """How a list answers the cursors of others."""
    runtime = FakeRuntime()
    runtime.heads = [a_head(execution_id((NOW_MS - n) << 21)) for n in range(3)]
    async with connected(runtime) as client:
        return [
            (await client.get(f"{PATH}?{query}&cursor={await cursor(client, other)}")).status_code
            for other in others
        ]


async def test_a_cursor_is_bound_to_filters_and_order() -> None:
    lists = [
        "status=failed",
        "status=running",
        "status=failed&status=running",
        "workflow_id=failed",
        "tag=a:b",
        "q=a:b",
        "created_by=admin",
        "created_after=2026-02-23T16:30:00Z",
        "created_before=2026-02-23T16:30:00Z",
        "started_after=2026-02-23T16:30:00Z",
        "order=created_at",
        "order=-started_at",
        "",
    ]
    for query in lists:
        expected = [200 if other == query else 400 for other in lists]
        assert await codes(query, lists) == expected


async def test_a_cursor_is_good_for_the_same_list_said_otherwise() -> None:
    assert await codes(
        "status=failed&status=running&limit=9&total=true&created_after=2026-02-23T17:30:00%2B01:00",
        [
            "created_after=2026-02-23T16:30:00Z&status=running&status=failed&status=running",
            "order=-created_at&created_after=2026-02-23T16:30:00.000Z&status=failed&status=running",
        ],
    ) == [200, 200]


@pytest.mark.parametrize(
    "place",
    [
        "",
        "1",
        "[]",
        "[1]",
        '["x",1]',
        '[1,"exec-1"]',
        "[1e99,2]",
        "{}",
        "[" * 400,
        f'[{1 << 70},"{ID}"]',
        f'[{1 << 62},"{ID}"]',
        f'[{-(1 << 62)},"{ID}"]',
        f'["1","{ID}"]',
    ],
)
async def test_a_forged_place_is_refused(place: str) -> None:
    runtime = FakeRuntime()
    forged = cursors.written(list_name(ExecutionsQuery()), place)
    async with connected(runtime) as client:
        answer = await client.get(f"{PATH}?cursor={forged}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
    assert runtime.asked == []


def test_the_schema_of_the_query_tells_all_of_it() -> None:
    fields = msgspec.json.schema(ExecutionsQuery)["$defs"]["ExecutionsQuery"]["properties"]
    for name, field in fields.items():
        assert field.get("description"), name
    assert fields["limit"]["maximum"] == 200
    assert fields["status"]["type"] == "array"
    assert fields["created_after"]["format"] == "date-time"
