"""Lists and statuses in folders of very many executions, and how soon a server there answers.

Times are those of a request on one connection that is kept alive, from sending it to having the
answer: the client's part and the way between are in them, and nothing is subtracted.
"""

import itertools
import random
import shutil
import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from benchmarks.filled import FIRST_MS, SPAN_MS, fill
from benchmarks.report import Measured, Row, Target
from benchmarks.server import Get, Server
from benchmarks.setting import Setting
from perdure.api import cursors
from perdure.api.lists import list_name
from perdure.api.queries import ExecutionsQuery
from perdure.model.identifiers import RANDOM_BITS, execution_id
from perdure.ports.executions import Order, Place
from perdure.wire.times import moment

TARGET_MS = 10.0
START_TARGET_S = 2.0
_STATUSES = 300
_LIMIT = 50
_LAST_PAGES_FROM = 0.999

Query = Mapping[str, str | Sequence[str]]


def _time(part: float) -> str:
    return moment(FIRST_MS + int(SPAN_MS * part))


FILTERS: Mapping[str, Query] = {
    "none": {},
    "status=completed": {"status": "completed"},
    "status=failed": {"status": "failed"},
    "status=running": {"status": "running"},
    "three statuses": {"status": ["failed", "cancelled", "paused"]},
    "workflow_id, 22 %": {"workflow_id": "workflow-0"},
    "workflow_id, 3 %": {"workflow_id": "workflow-19"},
    "workflow_id, unknown": {"workflow_id": "none"},
    "three workflow_ids": {"workflow_id": ["workflow-1", "workflow-5", "workflow-9"]},
    "workflow_id and status": {"workflow_id": "workflow-2", "status": "failed"},
    "tag, 20 %": {"tag": "environment:test"},
    "tag, 0.01 %": {"tag": "team:seldom"},
    "two tags": {"tag": ["environment:test", "team:team-3"]},
    "created_by, 90 %": {"created_by": "admin"},
    "created_by, 0.005 %": {"created_by": "seldom"},
    "created_after and _before": {"created_after": _time(0.4), "created_before": _time(0.6)},
    "started_after and _before": {"started_after": _time(0.4), "started_before": _time(0.6)},
    "q, 5 %": {"q": "connection refused"},
    "q, 0.005 %": {"q": "DISK full"},
    "q, nowhere": {"q": "no such text"},
    "tag, created_by and status": {
        "tag": "team:team-3",
        "created_by": "admin",
        "status": "failed",
    },
}


class Page(NamedTuple):
    """How a page was answered."""

    filters: str
    order: Order
    where: str
    ms: float
    shown: int
    more: bool


def lists(setting: Setting) -> Sequence[Row]:
    """Measure folders of growing numbers."""
    numbers = [100_000] if setting.quick else [100_000, 1_000_000]
    if setting.ten_million:
        numbers = [10_000_000]
    return [row for executions in numbers for row in _folder(setting, executions)]


def _folder(setting: Setting, executions: int) -> Iterator[Row]:
    folder = setting.new_folder()
    fill(folder, executions, setting.progress.say)
    starts_s: list[float] = []
    for _ in range(3):
        with Server(folder) as server:
            starts_s.append(server.first_answer_s("/api/executions"))
    yield Row(
        what=f"start to first answer, {executions:,} executions",
        unit="s",
        measured=Measured.of(starts_s),
        target=Target("<", START_TARGET_S, "of which 99 % have ended"),
    )
    with Server(folder) as server, server.connection() as get:
        server.wait_until_ready()
        yield from _list_rows(executions, _pages(setting, get, 2 if setting.quick else 5))
        yield _total_row(executions, get)
        yield _status_row(executions, get)
    shutil.rmtree(folder)


def _pages(setting: Setting, get: Get, repeats: int) -> Sequence[Page]:
    lists_of = list(itertools.product(FILTERS, Order))
    pages: list[Page] = []
    for number, (name, order) in enumerate(lists_of):
        setting.progress.say(f"lists, {number} of {len(lists_of)}")
        for where, part in (("first", 0.0), ("middle", 0.5), ("last", _LAST_PAGES_FROM)):
            query = {**FILTERS[name], "order": order.value, "limit": str(_LIMIT)}
            if part:
                query["cursor"] = _cursor(query, 1 - part if order.newest_first else part)
            for _ in range(repeats):
                ms, body = get.timed(f"/api/executions?{urlencode(query, doseq=True)}")
                answer = msgspec.json.decode(body)
                shown, cursor = len(answer["executions"]), answer["next_cursor"]
                pages.append(Page(name, order, where, ms, shown, cursor is not None))
    return pages


def _cursor(query: Query, part: float) -> str:
    """The cursor that a page would have which ended after this part of the time."""
    at = FIRST_MS + int(SPAN_MS * part)
    place = Place(at, execution_id(at << RANDOM_BITS))
    name = list_name(msgspec.convert(_as_fields(query), ExecutionsQuery))
    return cursors.written(name, msgspec.json.encode(place).decode())


def _as_fields(query: Query) -> Mapping[str, object]:
    """A query as its fields are typed, without the limit."""
    repeatable = ("workflow_id", "status", "tag")
    return {
        name: [value] if name in repeatable and isinstance(value, str) else value
        for name, value in query.items()
        if name != "limit"
    }


def _list_rows(executions: int, pages: Sequence[Page]) -> Iterator[Row]:
    for where in ("first", "middle", "last"):
        there = [page for page in pages if page.where == where]
        by_list: dict[tuple[str, Order], list[float]] = {}
        for page in there:
            by_list.setdefault((page.filters, page.order), []).append(page.ms)
        medians = {of: statistics.median(times) for of, times in by_list.items()}
        slowest = max(medians, key=lambda of: medians[of])
        short = {(p.filters, p.order) for p in there if p.more and p.shown < _LIMIT}
        yield Row(
            what=f"{where} page of a list, {executions:,} executions",
            unit="ms",
            measured=Measured.of([page.ms for page in there]),
            target=Target("<", TARGET_MS, f"{len(medians)} lists: each filter in each order"),
            notes=[
                f"the slowest list: {medians[slowest]:.1f} ms, {slowest[0]} by {slowest[1]}",
                f"{len(short)} lists had a page that was short and went on",
                *(_filter_notes(there) if where == "middle" else ()),
            ],
        )


def _filter_notes(pages: Sequence[Page]) -> Iterator[str]:
    for name in FILTERS:
        of_filter = [page for page in pages if page.filters == name]
        times = [page.ms for page in of_filter]
        shown = {page.order.value: page.shown for page in of_filter}
        yield (
            f"{name:<28} {statistics.median(times):5.1f} ms, at worst {max(times):5.1f}; shown "
            + ", ".join(str(count) for count in shown.values())
        )


def _total_row(executions: int, get: Get) -> Row:
    times: list[float] = []
    for query in FILTERS.values():
        path = f"/api/executions?{urlencode({**query, 'total': 'true'}, doseq=True)}"
        times += [get.timed(path)[0] for _ in range(5)]
    return Row(
        what=f"first page with total, {executions:,} executions",
        unit="ms",
        measured=Measured.of(times),
        target=Target("<", TARGET_MS, "each filter"),
    )


def _status_row(executions: int, get: Get) -> Row:
    chance = random.Random(executions)
    ids: list[str] = []
    for _ in range(_STATUSES // 10):
        at = datetime.fromtimestamp(FIRST_MS / 1000, UTC)
        at += timedelta(milliseconds=chance.randrange(int(SPAN_MS * 0.99)))
        query = {"created_after": at.isoformat(), "order": "created_at", "limit": 10}
        page = get(f"/api/executions?{urlencode(query)}")
        ids += [each["execution_id"] for each in page["executions"]]
    chance.shuffle(ids)
    times = [get.timed(f"/api/executions/{id}")[0] for id in ids]
    return Row(
        what=f"status of an execution, {executions:,} executions",
        unit="ms",
        measured=Measured.of(times),
        target=Target("<", TARGET_MS),
    )
