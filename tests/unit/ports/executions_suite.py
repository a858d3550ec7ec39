"""Lists of executions: what is shown, in which order, and page by page.

The reference is a naive filter over all rows, sorted.
"""

import random
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.model.execution import Head
from perdure.model.failure import Failure
from perdure.model.identifiers import RANDOM_BITS, execution_id, execution_key
from perdure.model.status import Status
from perdure.ports.executions import ListPage, ListRequest, Order
from perdure.ports.journal import (
    Admit,
    CreateExecution,
    End,
    EndExecution,
    Pause,
    PutInbox,
    ReadInbox,
    Row,
)
from tests.unit.ports.subject import CREATED, Suite, batch

replace = msgspec.structs.replace

WORKFLOWS = ["weather", "invoice", "a.b-c_d"]
CREATORS = [None, "admin", "exec-of-a-parent", "ü"]
TAGS = {"team": ["a", "B:c", ""], "team:B": ["c"], 'qu"ote\\': ["n\new"], "städt": ["Ä%_"]}
ERRORS = [
    None,
    Failure(type="urn:a", status=500, title="Runtime error", detail='It said "NO" in Zürich'),
    Failure(type="urn:b", status=408, title="Timed out", instance="/do/0/Call"),
]
TEXTS = [
    "no",
    'D "N',
    "zürich",
    "ZÜRICH",
    "title",
    "status",
    "do/0",
    "team:",
    "b:c",
    "%_",
    "\\",
    "w",
]
SPREAD_MS = 40


def tags_of(chance: random.Random) -> dict[str, str]:
    chosen = chance.sample(sorted(TAGS), chance.choice([0, 0, 1, 2, 4]))
    return {name: chance.choice(TAGS[name]) for name in chosen}


def written(row: Row) -> set[str]:
    return {f"{name}:{value}" for name, value in row.tags.items()}


def small(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def has_text(row: Row, text: str) -> bool:
    error = row.error
    texts = [*written(row)]
    if error is not None:
        texts += [error.type, error.title, error.detail, error.instance]
    return any(small(text) in small(each) for each in texts)


def fits(row: Row, wanted: ListRequest) -> bool:
    """Whether a row belongs to a list, said as plainly as can be."""
    started = row.started_at
    return (
        (not wanted.workflow_ids or row.workflow_id in wanted.workflow_ids)
        and (not wanted.statuses or row.status in wanted.statuses)
        and wanted.tags <= written(row)
        and wanted.created_by in (None, row.created_by)
        and (wanted.created_after is None or row.created_at >= wanted.created_after)
        and (wanted.created_before is None or row.created_at < wanted.created_before)
        and (
            wanted.started_after is None
            or (started is not None and started >= wanted.started_after)
        )
        and (
            wanted.started_before is None
            or (started is not None and started < wanted.started_before)
        )
        and (wanted.text is None or has_text(row, wanted.text))
        and getattr(row, wanted.order.by) is not None
    )


def expected(rows: Sequence[Row], wanted: ListRequest) -> list[str]:
    """The ids of a list, in order."""
    found = [row for row in rows if fits(row, wanted)]
    found.sort(
        key=lambda row: (getattr(row, wanted.order.by), execution_key(row.execution_id)),
        reverse=wanted.order.newest_first,
    )
    return [row.execution_id for row in found]


moments = st.none() | st.integers(CREATED - 2, CREATED + 2 * SPREAD_MS)
requests = st.builds(
    ListRequest,
    workflow_ids=st.frozensets(st.sampled_from([*WORKFLOWS, "unknown"]), max_size=2),
    statuses=st.frozensets(st.sampled_from(Status), max_size=3),
    tags=st.frozensets(
        st.sampled_from(["none:such", *(f"{k}:{v}" for k, vs in TAGS.items() for v in vs)]),
        max_size=2,
    ),
    created_by=st.sampled_from(CREATORS),
    created_after=moments,
    created_before=moments,
    started_after=moments,
    started_before=moments,
    text=st.none() | st.sampled_from(TEXTS) | st.text(min_size=1, max_size=2),
    order=st.sampled_from(Order),
    limit=st.sampled_from([1, 2, 7, 50, 200]),
    total=st.booleans(),
)
"""Any filters at all; most leave nothing."""


def relaxed(wanted: ListRequest, kept: Sequence[str]) -> ListRequest:
    """Only some of the filters, so that something is left."""
    free = ListRequest(order=wanted.order, limit=wanted.limit, total=wanted.total)
    return replace(free, **{name: getattr(wanted, name) for name in kept})


FILTERS = [
    "workflow_ids",
    "statuses",
    "tags",
    "created_by",
    "created_after",
    "created_before",
    "started_after",
    "started_before",
    "text",
]


class ExecutionsSuite(Suite):
    counts_exactly = True
    """Whether a hundred executions are so few that their total is exact under any filters."""

    @pytest.fixture
    def many(self) -> Sequence[Row]:
        """Executions of all kinds."""
        chance = random.Random(7)
        keys = (CREATED + n * SPREAD_MS // 90 << RANDOM_BITS | n for n in range(90))
        return [self._one(key, chance) for key in keys]

    def _one(self, key: int, chance: random.Random) -> Row:
        id = execution_id(key)
        at_once = chance.random() < 0.6
        self.done(
            CreateExecution(
                execution_id=id,
                workflow_id=chance.choice(WORKFLOWS),
                workflow_version="1",
                digest="d",
                status=Status.RUNNING if at_once else Status.PENDING,
                created_at=key >> RANDOM_BITS,
                inputs=b"{}",
                tags=tags_of(chance),
                created_by=chance.choice(CREATORS),
            )
        )
        at = (key >> RANDOM_BITS) + chance.randrange(SPREAD_MS)
        if not at_once and chance.random() < 0.7:
            self.done(Admit(execution_id=id, at=at))
        status = self.row(id).status
        match chance.randrange(5):
            case 0 if status is Status.RUNNING:
                self.done(replace(batch(id, 0), active=False))
            case 1:
                self.done(Pause(execution_id=id, at=at, failure=chance.choice(ERRORS)))
            case 2 | 3 if status is Status.RUNNING:
                ended = chance.choice([Status.COMPLETED, Status.FAILED, Status.CANCELLED])
                error = chance.choice(ERRORS[1:]) if ended is Status.FAILED else None
                end = End(status=ended, at=at + chance.randrange(9), error=error)
                self.done(replace(batch(id, 0), end=end, active=False))
            case 4 if status is Status.PENDING:
                self.done(EndExecution(execution_id=id, end=End(status=Status.CANCELLED, at=at)))
        return self.row(id)

    def page(self, wanted: ListRequest) -> ListPage:
        return self.journal.page(wanted)

    def pages(self, wanted: ListRequest) -> Iterator[ListPage]:
        """All pages of a list; there are not more than executions to look at."""
        for _ in range(200):
            page = self.page(wanted)
            assert len(page.executions) <= wanted.limit
            yield page
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)
        raise AssertionError("the list has no end")

    def ids(self, wanted: ListRequest) -> list[str]:
        return [head.execution_id for page in self.pages(wanted) for head in page.executions]

    def test_an_empty_store_has_one_empty_page(self) -> None:
        for order in Order:
            assert self.page(ListRequest(order=order)) == ListPage(executions=[], next=None)

    def test_a_list_shows_what_fits_once_and_in_order(self, many: Sequence[Row]) -> None:
        @settings(
            max_examples=150,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(requests, st.lists(st.sampled_from(FILTERS), max_size=4, unique=True))
        def check(wanted: ListRequest, kept: Sequence[str]) -> None:
            wanted = relaxed(wanted, kept)
            listed = expected(many, wanted)
            totals = []
            shown = []
            for page in self.pages(wanted):
                shown += [head.execution_id for head in page.executions]
                totals.append(page.total)
            assert shown == listed
            for total in totals:
                assert (total is None) is not wanted.total
                if total is not None and (total.is_exact or self.counts_exactly):
                    assert (total.count, total.is_exact) == (len(listed), True)
                assert total is None or total.count <= len(listed)

        check()

    @pytest.mark.parametrize("order", Order)
    def test_each_filter_in_each_order(self, many: Sequence[Row], order: Order) -> None:
        values = {
            "workflow_ids": frozenset({"weather", "a.b-c_d"}),
            "statuses": frozenset({Status.RUNNING, Status.COMPLETED}),
            "tags": frozenset({"team:B:c"}),
            "created_by": "admin",
            "text": "T",
        }
        for name in FILTERS:
            value = values.get(name, CREATED + SPREAD_MS // 2)
            wanted = replace(ListRequest(order=order, limit=3), **{name: value})
            listed = expected(many, wanted)
            assert 3 < len(listed) < len(many), name
            assert self.ids(wanted) == listed, name

    @pytest.mark.parametrize("order", [Order.NEWEST_CREATED, Order.OLDEST_STARTED])
    def test_texts_are_found(self, many: Sequence[Row], order: Order) -> None:
        for text in [*TEXTS, "team:a", "M:A", "städt:Ä", 'qu"OTE', "\new", "new\n", "nothing such"]:
            wanted = ListRequest(text=text, order=order, limit=7)
            assert self.ids(wanted) == expected(many, wanted), text

    def test_a_head_shows_the_row(self, many: Sequence[Row]) -> None:
        rows = {row.execution_id: row for row in many}
        for head in self.page(ListRequest(limit=90)).executions:
            row = rows[head.execution_id]
            assert head == Head(
                **{name: getattr(row, name) for name in Head.__struct_fields__},
            )

    def test_no_page_shows_again_what_starts_and_ends_meanwhile(self) -> None:
        for order in Order:
            for statuses in (frozenset[Status](), frozenset({Status.RUNNING, Status.COMPLETED})):
                self._change_between_pages(ListRequest(order=order, limit=2, statuses=statuses))

    def _change_between_pages(self, wanted: ListRequest) -> None:
        at = CREATED
        ids = [self.created(Status.PENDING) for _ in range(12)]
        for id in ids[:9]:
            self.done(Admit(execution_id=id, at=at))
        shown: list[str] = []
        before = expected([self.row(id) for id in ids], wanted)
        for number, page in enumerate(self.pages(wanted)):
            shown += [head.execution_id for head in page.executions]
            at += 1
            starts, ends, idles = ids[9 + number % 3], ids[number % 9], ids[(number + 4) % 9]
            if self.row(starts).status is Status.PENDING:
                self.done(Admit(execution_id=starts, at=at))
            if self.row(ends).status is Status.RUNNING:
                seq = self.row(ends).next_seq
                end = End(status=Status.COMPLETED, at=at)
                self.done(replace(batch(ends, seq), end=end, active=False))
            if self.row(idles).status is Status.RUNNING:
                self.done(PutInbox(execution_id=idles, event=b"{}"))
                self.done(ReadInbox(execution_id=idles, epoch=1, inbox_seen=1 << 40))
            if number < 4:
                ids.append(self.created())
        assert len(shown) == len(set(shown))
        if not wanted.statuses:
            assert set(before) <= set(shown)

    def test_what_the_clock_says_later_changes_no_order(self) -> None:
        """Created and started are never before the moment in the id."""
        key = CREATED << RANDOM_BITS
        id = execution_id(key)
        self.done(
            CreateExecution(
                execution_id=id,
                workflow_id="weather",
                workflow_version="1",
                digest="d",
                status=Status.PENDING,
                created_at=CREATED - 5,
                inputs=b"{}",
            )
        )
        self.done(Admit(execution_id=id, at=CREATED - 3))
        row = self.row(id)
        assert (row.created_at, row.started_at) == (CREATED, CREATED)
