"""Lists of executions: a page costs the same however many executions there are.

Exact, in that a page reads what it shows and no more:

- by `created_at`: all of them; one of `tag` and `created_by`; `status` and `workflow_id`, also
  together and with several values; each within `created_after` and `created_before`;
- by `started_at`: all of them, within `started_after` and `started_before`;
- by `completed_at`: all of them, and with `status`.

Everything else is found through one index and checked row by row. Where some filter leaves at most
`FEW` executions, these are read and put in order. Otherwise the list is walked in its order, for
the order of creation along the filter that leaves the fewest, and a page ends when `EXAMINED_LIMIT`
executions were looked at, or `EXAMINED_S` have passed: it may then be short, or empty, and tell
where the next one goes on. Text in errors and tags is always looked for in this way.

A list by `started_at` or `completed_at` has those that have the time. `total` counts up to
`COUNT_LIMIT` entries of the index where the list is exact; elsewhere it is what was found among
the executions that a page may look at, and is exact if these were all.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import apsw
import msgspec

from perdure.model.execution import Head
from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.executions import COUNT_LIMIT, ListPage, ListRequest, OrderedBy, Place, Total
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.list_plans import Plan, key_span, plan, position_of
from perdure.store.sqlite.statements import load
from perdure.store.sqlite.walks import Arms, Position, Span, count, few, reach, walk

FEW = 750
EXAMINED_LIMIT = 2_500
EXAMINED_S = 0.003
_PORTION = 200

_SQL = load("lists.sql")
_SMALL_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_Found = tuple[Any, ...]
"""A row of the statement `fitting`."""
_TIMES: Mapping[OrderedBy, int] = {"created_at": 4, "started_at": 5, "completed_at": 6}
"""Where the times are in it."""

_tags = msgspec.json.Decoder(dict[str, str])
_json = msgspec.json.Encoder().encode


class Lists:
    """Implements the port `Executions`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def page(self, request: ListRequest) -> ListPage:
        """A page of the list, as it is at one moment."""
        connection = self._readers.connection()
        connection.execute("BEGIN")
        try:
            return _Reading(connection, request).page()
        finally:
            connection.execute("COMMIT")


class _Reading:
    """The reading of one page, at one moment of the file."""

    def __init__(self, connection: apsw.Connection, request: ListRequest) -> None:
        self._connection = connection
        self._request = request
        self._by: OrderedBy = request.order.by
        self._newest_first = request.order.newest_first
        self._filters = _filters(request)
        self._plan: Plan = plan(request)
        after = request.after
        self._after = None if after is None else position_of(after, self._by)

    def page(self) -> ListPage:
        if not self._plan.ordered:
            return self._page_of_few([])
        found = self._few()
        if found is not None:
            return self._page_of_few(found)
        span = self._plan.span
        rest = span.beyond(self._after, newest_first=self._newest_first)
        shown, end = self._walked(self._best(rest), rest)
        return self._answer(shown, end, self._total())

    def _answer(
        self, shown: Sequence[_Found], end: Position | None, total: Total | None
    ) -> ListPage:
        return ListPage(
            executions=[_head(*each) for each in shown],
            next=None if end is None else Place(end[0], execution_id(end[1])),
            total=total,
        )

    # -- a few, in order -----------------------------------------------------------------------

    def _few(self) -> list[_Found] | None:
        """All of the list, in order, where some filter leaves only a few."""
        if self._plan.exact:
            return None
        smallest: Sequence[Position] | None = None
        for arms, span in self._plan.others:
            positions = few(self._connection, arms, span, FEW)
            if positions is not None and (smallest is None or len(positions) < len(smallest)):
                smallest = positions
        if smallest is None:
            return None
        found = [each for each in self._fitting(smallest) if self._has_time(each)]
        found.sort(key=self._position, reverse=self._newest_first)
        return found

    def _page_of_few(self, found: list[_Found]) -> ListPage:
        after, limit = self._after, self._request.limit
        total = Total(len(found), True) if self._request.total else None
        if after is not None and self._newest_first:
            found = [each for each in found if self._position(each) < after]
        elif after is not None:
            found = [each for each in found if self._position(each) > after]
        end = self._position(found[limit - 1]) if len(found) > limit else None
        return self._answer(found[:limit], end, total)

    # -- walking in order ----------------------------------------------------------------------

    def _best(self, span: Span) -> Arms:
        """Of the choices in order the one that leaves the fewest."""
        choices = self._plan.ordered
        if len(choices) == 1:
            return choices[0]
        reached = [
            reach(self._connection, arms, span, _PORTION, newest_first=self._newest_first)
            for arms in choices
        ]
        farthest = min(reached) if self._newest_first else max(reached)
        return choices[reached.index(farthest)]

    def _walked(self, arms: Arms, span: Span) -> tuple[Sequence[_Found], Position | None]:
        """A page, and where it ends, if there may be more."""
        limit = self._request.limit
        found: list[_Found] = []
        for portion, is_last in self._portions(arms, span, limit + 1):
            found += self._fitting(portion)
            if len(found) > limit:
                return found[:limit], self._position(found[limit - 1])
            if is_last is None:
                return found, None
            if is_last:
                return found, portion[-1]
        return found, None

    def _portions(
        self, arms: Arms, span: Span, first: int
    ) -> Iterator[tuple[Sequence[Position], bool | None]]:
        """Positions in portions, and whether they are the last to be looked at.

        None says that there are no more.
        """
        until = time.perf_counter() + EXAMINED_S
        walked = walk(self._connection, arms, span, newest_first=self._newest_first)
        examined, size = 0, first
        while True:
            portion = list(islice(walked, size))
            if len(portion) < size:
                yield portion, None
                return
            examined += size
            size = min(_PORTION, EXAMINED_LIMIT - examined)
            yield portion, size <= 0 or time.perf_counter() > until

    # -- counting ------------------------------------------------------------------------------

    def _total(self) -> Total | None:
        if not self._request.total:
            return None
        return self._counted() if self._plan.exact else self._counted_one_by_one()

    def _counted(self) -> Total:
        arms, span = self._plan.ordered[0], self._plan.span
        checked = [arm for arm in arms if arm.statement == "at_work"]
        entries = [arm for arm in arms if arm.statement != "at_work"]
        counted = count(self._connection, entries, span, COUNT_LIMIT + 1)
        walked = walk(self._connection, checked, span, newest_first=True)
        at_work = list(islice(walked, EXAMINED_LIMIT + 1))
        counted += len(self._fitting(at_work[:EXAMINED_LIMIT]))
        is_exact = counted <= COUNT_LIMIT and len(at_work) <= EXAMINED_LIMIT
        return Total(min(counted, COUNT_LIMIT), is_exact)

    def _counted_one_by_one(self) -> Total:
        span = self._plan.span
        counted = 0
        for portion, is_last in self._portions(self._best(span), span, _PORTION):
            counted += len(self._fitting(portion))
            if is_last is not False:
                return Total(counted, is_last is None)
        return Total(counted, True)

    # -- rows ----------------------------------------------------------------------------------

    def _fitting(self, positions: Iterable[Position]) -> list[_Found]:
        keys = "[" + ",".join([str(key) for _, key in positions]) + "]"
        found: list[Any] = self._connection.execute(
            _SQL["fitting"], (keys, *self._filters)
        ).fetchall()
        return found

    def _has_time(self, found: _Found) -> bool:
        return found[_TIMES[self._by]] is not None

    def _position(self, found: _Found) -> Position:
        return (0 if self._by == "created_at" else found[_TIMES[self._by]], found[0])


def _head(
    key: int,
    workflow_id: str,
    workflow_version: str,
    status: str,
    created_at: int,
    started_at: int | None,
    completed_at: int | None,
    tags: str,
) -> Head:
    return Head(
        execution_id=execution_id(key),
        workflow_id=workflow_id,
        workflow_version=workflow_version,
        status=Status(status),
        created_at=created_at,
        started_at=started_at,
        completed_at=completed_at,
        tags={} if tags == "{}" else _tags.decode(tags),
    )


def _filters(request: ListRequest) -> tuple[str | int | None, ...]:
    """What the statement `fitting` takes beside the keys."""
    keys = key_span(request)
    text = None if request.text is None else request.text.translate(_SMALL_LETTERS)
    return (
        _json_list(request.workflow_ids),
        _json_list(request.statuses),
        _json_list(request.tags),
        len(request.tags),
        request.created_by,
        keys.low[1],
        keys.high[1],
        request.started_after,
        request.started_before,
        text,
        None if text is None else _within_json(text),
    )


def _within_json(text: str) -> str:
    """How a text in small letters looks within JSON; nothing where that cannot be told.

    With a colon it may begin in a tag's key and end in its value.
    """
    return "" if ":" in text else _json(text).decode()[1:-1].translate(_SMALL_LETTERS)


def _json_list(texts: Iterable[str]) -> str | None:
    """A filter of several texts; None where it is none."""
    listed = list(texts)
    return _json(listed).decode() if listed else None
