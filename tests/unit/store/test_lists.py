"""Lists are read from indexes: what a page looks at is bounded, however much there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.model.identifiers import RANDOM_BITS, execution_id
from perdure.model.status import Status
from perdure.ports.executions import COUNT_LIMIT, ListPage, ListRequest, Order, Place, Total
from perdure.store.sqlite import lists, schema, walks
from perdure.store.sqlite.connections import Readers, open_writer
from perdure.store.sqlite.list_plans import plan, position_of
from perdure.store.sqlite.lists import Lists
from tests.unit.ports.subject import CREATED

replace = msgspec.structs.replace
MANY = 50_000
OLDEST = execution_id(CREATED << RANDOM_BITS)
DAY = frozenset({"kind:common"})

INSERT = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
INSERT INTO executions (
    key, workflow_id, workflow_version, digest, status, created_at, started_at, completed_at, tags,
    priority, created_by, active, error
)
SELECT (?2 + n) << 21, iif(n, 'common', 'rare'), '1', 'd', iif(n, 'completed', 'failed'), ?2 + n,
    ?2 + n, ?2 + n + 5, iif(n, '{"kind":"common"}', '{"kind":"rare"}'), 0,
    iif(n, 'admin', 'seldom'), 0,
    iif(n, NULL, '{"type":"urn:x","status":500,"title":"Runtime error","detail":"a needle"}')
FROM numbers
"""
TAGS = "INSERT INTO execution_tags SELECT 'kind:' || (tags ->> '$.kind'), key FROM executions"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    """Very many executions alike, but for the oldest."""
    path = tmp_path_factory.mktemp("many") / "perdure.db"
    writer = open_writer(path, "journal")
    with writer:
        writer.execute(INSERT, (MANY, CREATED))
        writer.execute(TAGS)
    readers = Readers(path)
    yield readers
    readers.close()
    writer.close()


def steps_of(many: Readers, request: ListRequest) -> tuple[ListPage, int]:
    """A page, and how many steps SQLite's virtual machine took for it, in tens."""
    connection = many.connection()
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return False

    connection.set_progress_handler(count, 10)
    try:
        return Lists(many).page(request), steps
    finally:
        connection.set_progress_handler(None)


RARE: list[ListRequest] = [
    ListRequest(workflow_ids=frozenset({"rare", "unknown"})),
    ListRequest(workflow_ids=frozenset({"rare"}), statuses=frozenset({Status.FAILED})),
    ListRequest(statuses=frozenset({Status.FAILED, Status.RUNNING})),
    ListRequest(tags=frozenset({"kind:rare"})),
    ListRequest(created_by="seldom"),
    ListRequest(created_before=CREATED + 1),
    ListRequest(started_before=CREATED + 1),
    ListRequest(workflow_ids=frozenset({"common", "rare"}), tags=frozenset({"kind:rare"})),
    ListRequest(statuses=frozenset({Status.COMPLETED, Status.FAILED}), created_by="seldom"),
    ListRequest(created_by="seldom", text="NEEDLE", started_after=CREATED),
]
"""Each leaves the oldest only, and an index tells."""


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("request_", RARE, ids=range(len(RARE)))
def test_a_rare_match_is_found_at_once(many: Readers, request_: ListRequest, order: Order) -> None:
    wanted = replace(request_, order=order, total=True)
    page, steps = steps_of(many, wanted)
    assert [head.execution_id for head in page.executions] == [OLDEST]
    assert (page.next, page.total) == (None, Total(1, True))
    assert steps < 4_000


COMMON: list[ListRequest] = [
    ListRequest(),
    ListRequest(workflow_ids=frozenset({"common"})),
    ListRequest(statuses=frozenset({Status.COMPLETED, Status.FAILED})),
    ListRequest(workflow_ids=frozenset({"common"}), statuses=frozenset({Status.COMPLETED})),
    ListRequest(tags=DAY),
    ListRequest(created_by="admin"),
    ListRequest(created_after=CREATED + 9, created_before=CREATED + MANY),
    ListRequest(started_after=CREATED + 9, started_before=CREATED + MANY),
    ListRequest(tags=DAY, created_by="admin", started_after=CREATED, text="common"),
]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("request_", COMMON, ids=range(len(COMMON)))
@pytest.mark.parametrize("part", [None, 0.5])
def test_any_page_looks_at_little_more_than_it_shows(
    many: Readers, request_: ListRequest, order: Order, part: float | None
) -> None:
    at = CREATED + int(MANY * (part or 0))
    after = Place(at, execution_id(at << RANDOM_BITS)) if part else None
    wanted = replace(request_, order=order, after=after)
    page, steps = steps_of(many, wanted)
    assert len(page.executions) == 50
    assert steps < (1_000 if plan(wanted).exact else 10_000)


HIDDEN: list[ListRequest] = [
    ListRequest(tags=DAY, created_by="admin", statuses=frozenset({Status.FAILED, Status.PAUSED})),
    ListRequest(text="needle"),
    ListRequest(text="needle", workflow_ids=frozenset({"common", "rare"})),
]


@pytest.mark.parametrize("request_", HIDDEN, ids=range(len(HIDDEN)))
@pytest.mark.parametrize("order", [Order.NEWEST_CREATED, Order.NEWEST_STARTED])
def test_what_no_index_tells_is_looked_for_within_bounds(
    many: Readers, request_: ListRequest, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "EXAMINED_S", 60.0)
    wanted = replace(request_, order=order, total=True)
    found: list[str] = []
    pages = 0
    while True:
        page, steps = steps_of(many, wanted)
        pages += 1
        found += [head.execution_id for head in page.executions]
        assert steps < 60_000
        assert page.total is not None
        assert page.total.count <= 1
        if page.next is None:
            break
        wanted = replace(wanted, after=page.next)
    assert found == ([OLDEST] if request_.text else [])
    assert pages <= MANY / lists.EXAMINED_LIMIT + 1


def test_a_page_ends_when_its_time_is_over(many: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ListRequest(text="needle", limit=9)
    long = Lists(many).page(wanted)
    monkeypatch.setattr(lists, "EXAMINED_S", -1.0)
    short = Lists(many).page(wanted)
    assert (long.executions, short.executions) == ([], [])
    assert long.next is not None
    assert short.next is not None
    assert short.next.execution_id == execution_id((CREATED + MANY - 10) << RANDOM_BITS)


def test_totals_are_counted_up_to_the_limit(many: Readers) -> None:
    for request, total in (
        (ListRequest(), Total(COUNT_LIMIT, False)),
        (ListRequest(tags=DAY), Total(COUNT_LIMIT, False)),
        (ListRequest(workflow_ids=frozenset({"common"})), Total(COUNT_LIMIT, False)),
        (ListRequest(created_before=CREATED + COUNT_LIMIT), Total(COUNT_LIMIT, True)),
        (ListRequest(created_before=CREATED + COUNT_LIMIT + 1), Total(COUNT_LIMIT, False)),
        (ListRequest(created_before=CREATED), Total(0, True)),
    ):
        wanted = replace(request, total=True)
        page, steps = steps_of(many, wanted)
        assert page.total == total
        assert steps < 25_000


def test_every_walk_searches_an_index_and_sorts_nothing(many: Readers) -> None:
    for name in set(walks.STATEMENTS) - {"fitting"}:
        for sql in walks.composed(name):
            values = (None,) * max(int(number) for number in re.findall(r"\?(\d)", sql))
            plan: list[Any] = (
                many.connection().execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            )
            steps = [step for _, _, _, step in plan]
            searches = [step for step in steps if "subquery" not in step]
            assert len(searches) == 1, name
            assert searches[0].startswith("SEARCH"), name
            assert re.search("COVERING INDEX|PRIMARY KEY|executions_with_text", searches[0]), name
            assert not [step for step in steps if "TEMP B-TREE" in step], name


@pytest.mark.parametrize(
    ("request_", "exact"),
    [
        (ListRequest(), Order),
        (ListRequest(started_after=1), [Order.NEWEST_STARTED, Order.OLDEST_STARTED]),
        (ListRequest(created_after=1), [Order.NEWEST_CREATED, Order.OLDEST_CREATED]),
        (
            ListRequest(statuses=frozenset({Status.FAILED})),
            [
                Order.NEWEST_CREATED,
                Order.OLDEST_CREATED,
                Order.NEWEST_COMPLETED,
                Order.OLDEST_COMPLETED,
            ],
        ),
        (
            ListRequest(
                workflow_ids=frozenset({"a", "b"}), statuses=frozenset(Status), created_before=1
            ),
            [Order.NEWEST_CREATED, Order.OLDEST_CREATED],
        ),
        (ListRequest(tags=DAY), [Order.NEWEST_CREATED, Order.OLDEST_CREATED]),
        (ListRequest(created_by="a"), [Order.NEWEST_CREATED, Order.OLDEST_CREATED]),
        (ListRequest(text="a"), []),
        (ListRequest(tags=DAY, created_by="a"), []),
    ],
)
def test_these_lists_are_exact(request_: ListRequest, exact: list[Order]) -> None:
    assert [order for order in Order if plan(replace(request_, order=order)).exact] == list(exact)


def test_a_place_has_to_be_one() -> None:
    with pytest.raises(ValueError, match="no execution id"):
        position_of(Place(1, "nonsense"), "created_at")


def test_an_old_folder_gets_its_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "perdure.db"
    steps = schema.migrations("journal")
    monkeypatch.setattr(schema, "migrations", lambda database: steps[:1])
    old = open_writer(path, "journal")
    with old:
        old.execute(INSERT, (3, CREATED))
        old.execute(
            "UPDATE executions SET created_at = created_at - 1, started_at = started_at - 2"
        )
    old.close()
    monkeypatch.setattr(schema, "migrations", lambda database: steps)
    open_writer(path, "journal").close()
    readers = Readers(path)
    for wanted in (
        ListRequest(tags=frozenset({"kind:rare"})),
        ListRequest(created_by="seldom"),
        ListRequest(started_before=CREATED + 1, order=Order.NEWEST_STARTED),
    ):
        (head,) = Lists(readers).page(wanted).executions
        assert (head.execution_id, head.created_at, head.started_at) == (OLDEST, CREATED, CREATED)
    assert len(Lists(readers).page(ListRequest(tags=DAY)).executions) == 2
    readers.close()
