"""Walks along indexes in the order of a list, and walks along several at once.

What a walk comes by is a position: the time that the list is ordered by (0 where that is the key)
and the key. The statements in `sql/lists.sql` go from the oldest to the newest. Here, and nowhere
else, SQL is composed: the same statement turned round, and one that counts what it finds; both
take the same values, and no text from outside goes into them.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import apsw

from perdure.store.sqlite.statements import load

Position = tuple[int, int]

STATEMENTS = load("lists.sql")
_TURNED = {name: sql.replace(" ASC", " DESC") for name, sql in STATEMENTS.items()}
_COUNTS: Mapping[str, str] = {
    name: "\n".join(("SELECT count(*) FROM (", sql.removesuffix(";"), ")"))
    for name, sql in STATEMENTS.items()
}

_FIRST_PORTION = 8
_LARGEST_PORTION = 256
LOWEST: Position = (-(1 << 63), -1)
HIGHEST: Position = ((1 << 63) - 1, (1 << 63) - 1)


class Span(NamedTuple):
    """The positions between two others, without these."""

    low: Position = LOWEST
    high: Position = HIGHEST

    def beyond(self, position: Position | None, *, newest_first: bool) -> "Span":
        """What of it comes after a position."""
        if position is None:
            return self
        if newest_first:
            return Span(self.low, min(self.high, position))
        return Span(max(self.low, position), self.high)


class Arm(NamedTuple):
    """One range of one index: a statement of `sql/lists.sql`, and what it is searched for."""

    statement: str
    values: tuple[str, ...] = ()


Arms = Sequence[Arm]


def composed(statement: str) -> Sequence[str]:
    """Every form in which a statement is run."""
    return STATEMENTS[statement], _TURNED[statement], _COUNTS[statement]


def walk(
    connection: apsw.Connection, arms: Arms, span: Span, *, newest_first: bool
) -> Iterator[Position]:
    """The positions of all arms within a span, in order; little more is read than is taken."""
    each = [_along(connection, arm, span, newest_first) for arm in arms]
    return each[0] if len(each) == 1 else heapq.merge(*each, reverse=newest_first)


def count(connection: apsw.Connection, arms: Arms, span: Span, limit: int) -> int:
    """How many positions there are, counted up to `limit`."""
    counted = 0
    for arm in arms:
        values = (*span.low, *span.high, limit - counted, *arm.values)
        rows: list[Any] = connection.execute(_COUNTS[arm.statement], values).fetchall()
        counted += rows[0][0]
        if counted >= limit:
            break
    return counted


def few(
    connection: apsw.Connection, arms: Arms, span: Span, limit: int
) -> Sequence[Position] | None:
    """All positions, in no order, or None where there are more than `limit`."""
    if count(connection, arms, span, limit + 1) > limit:
        return None
    found: list[Position] = []
    for arm in arms:
        found += _read(connection, STATEMENTS[arm.statement], arm, span, limit)
    return found


def reach(
    connection: apsw.Connection, arms: Arms, span: Span, steps: int, *, newest_first: bool
) -> Position:
    """How far so many steps lead: the farther, the fewer positions there are on the way."""
    walked = walk(connection, arms, span, newest_first=newest_first)
    end = span.low if newest_first else span.high
    return next(islice(walked, steps, None), end)


def _along(
    connection: apsw.Connection, arm: Arm, span: Span, newest_first: bool
) -> Iterator[Position]:
    sql = (_TURNED if newest_first else STATEMENTS)[arm.statement]
    portion = _FIRST_PORTION
    while True:
        found = _read(connection, sql, arm, span, portion)
        yield from found
        if len(found) < portion:
            return
        span = span.beyond(found[-1], newest_first=newest_first)
        portion = min(portion * 4, _LARGEST_PORTION)


def _read(
    connection: apsw.Connection, sql: str, arm: Arm, span: Span, limit: int
) -> list[Position]:
    values = (*span.low, *span.high, limit, *arm.values)
    found: list[Any] = connection.execute(sql, values).fetchall()
    return found
