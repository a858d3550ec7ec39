"""The list of executions as the API asks for it, and as a store answers.

An order goes by a time and, where times are equal, by id; a list shows the executions that have
the time which it is ordered by. The moment of creation is the one in the id.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from perdure.model.execution import Head
from perdure.model.status import Status

COUNT_LIMIT = 10_000
"""How far `total` counts."""
LONGEST_PAGE = 200

OrderedBy = Literal["created_at", "started_at", "completed_at"]


class Order(StrEnum):
    """By which time, and whether the newest come first."""

    NEWEST_CREATED = "-created_at"
    OLDEST_CREATED = "created_at"
    NEWEST_STARTED = "-started_at"
    OLDEST_STARTED = "started_at"
    NEWEST_COMPLETED = "-completed_at"
    OLDEST_COMPLETED = "completed_at"

    @property
    def by(self) -> OrderedBy:
        """The time."""
        by: OrderedBy = self.value.removeprefix("-")  # type: ignore[assignment]
        return by

    @property
    def newest_first(self) -> bool:
        """Whether later times come first."""
        return self.value.startswith("-")


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: a time by which the list is ordered, and an execution's id."""

    at: int
    execution_id: str


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions are asked for, in which order, and from where on.

    All filters have to match. Of several `workflow_ids` or `statuses` one has to, of `tags`
    (``key:value``) each. Times are milliseconds; `…_after` is inclusive, `…_before` is not. `text`
    is found in tags (``key:value``) and in the texts of the error, whatever the case of its ASCII
    letters is. `after` is the `next` of the page before; `total` asks for a count.
    """

    workflow_ids: frozenset[str] = frozenset()
    statuses: frozenset[Status] = frozenset()
    tags: frozenset[str] = frozenset()
    created_by: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    started_after: int | None = None
    started_before: int | None = None
    text: str | None = None
    order: Order = Order.NEWEST_CREATED
    limit: int = 50
    after: Place | None = None
    total: bool = False


class Total(msgspec.Struct, frozen=True):
    """How many there are; where it is not exact, there are at least so many."""

    count: int
    is_exact: bool


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page: up to `limit` executions, and where the next one begins, if there may be more.

    A page may be shorter than `limit`, or empty, and still have a `next`: what one page looks at
    is bounded.
    """

    executions: Sequence[Head]
    next: Place | None
    total: Total | None = None


class Executions(Protocol):
    """Lists executions."""

    def page(self, request: ListRequest) -> ListPage:
        """A page of the list.

        Following `next` shows every execution that matches all the time once, and nothing twice;
        what begins or ceases to match meanwhile may be shown or not. A list ordered by
        `completed_at` may show one again that an operator retried.
        """
        ...
