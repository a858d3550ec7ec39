"""Which indexes a list is read from.

Each filter that an index serves is a choice of arms that together hold all that matches it, and
each order has arms that hold all that it shows. Filters on workflow and status are one choice: an
execution is among the ended ones of its status, or among the idle ones of its status, or at work.
"""

from collections.abc import Sequence
from typing import NamedTuple

from perdure.model.identifiers import RANDOM_BITS, execution_key
from perdure.model.status import Status
from perdure.ports.executions import ListRequest, Place
from perdure.store.sqlite.walks import HIGHEST, LOWEST, Arm, Arms, Position, Span

_LARGEST = HIGHEST[1]


class Plan(NamedTuple):
    """How a list may be read.

    `ordered` are choices of arms that come in the order of the list, within `span`; `others`, each
    within a span of its own, hold all of the list too, but come in another order. Where the plan is
    `exact`, everything that the one ordered choice comes by belongs to the list, but for executions
    at work, which are few, and may be of any workflow.
    """

    ordered: Sequence[Arms]
    span: Span
    others: Sequence[tuple[Arms, Span]]
    exact: bool


def plan(request: ListRequest) -> Plan:
    """The ways to read a list, whatever page of it."""
    keys, starts = key_span(request), _starts(request)
    chosen = _choices(request)
    ranged_starts = starts != Span()
    ranged_keys = request.created_after is not None or request.created_before is not None
    if request.order.by == "created_at":
        return Plan(
            ordered=chosen or [(Arm("all"),)],
            span=keys,
            others=[((Arm("started"),), starts)] if ranged_starts else [],
            exact=len(chosen) <= 1 and not ranged_starts and request.text is None,
        )
    others = [(arms, keys) for arms in chosen]
    if ranged_keys:
        others.append(((Arm("all"),), keys))
    if request.order.by == "started_at":
        exact = not others
        return Plan([(Arm("started"),)], starts, others, exact)
    if ranged_starts:
        others.append(((Arm("started"),), starts))
    ends = [Arm("completed", (status,)) for status in sorted(_statuses(request)) if status.ended]
    only_statuses = not request.workflow_ids and len(chosen) == bool(request.statuses)
    exact = only_statuses and not ranged_keys and not ranged_starts
    return Plan([tuple(ends)] if ends else [], Span(), others, exact)


def position_of(place: Place, by: str) -> Position:
    """The position that a place stands for. Raises ValueError where its id is none."""
    key = execution_key(place.execution_id)
    if key is None:
        raise ValueError(f"{place.execution_id!r} is no execution id")
    return (0 if by == "created_at" else place.at, key)


def _choices(request: ListRequest) -> Sequence[Arms]:
    """For each filter that an index serves the arms that hold what matches it."""
    choices: list[Arms] = [(Arm("tag", (tag,)),) for tag in sorted(request.tags)]
    if request.created_by is not None:
        choices.append((Arm("created_by", (request.created_by,)),))
    if request.workflow_ids or request.statuses:
        choices.append(_by_workflow_and_status(request))
    if request.text is not None:
        choices.append((Arm("with_text"),))
    return choices


def _by_workflow_and_status(request: ListRequest) -> Arms:
    arms: list[Arm] = []
    for status in sorted(_statuses(request)):
        if request.workflow_ids:
            index = "ended_of_workflow" if status.ended else "idle_of_workflow"
            arms += [Arm(index, (status, id)) for id in sorted(request.workflow_ids)]
        else:
            arms.append(Arm("ended" if status.ended else "idle", (status,)))
        if status is Status.RUNNING:
            arms.append(Arm("at_work"))
    return tuple(arms)


def _statuses(request: ListRequest) -> frozenset[Status]:
    return request.statuses or frozenset(Status)


def key_span(request: ListRequest) -> Span:
    """The keys of those created in time, and not after their latest start."""
    low, high = LOWEST, HIGHEST
    if request.created_after is not None:
        low = (low[0], _first_key(request.created_after) - 1)
    for before in (request.created_before, request.started_before):
        if before is not None:
            high = (high[0], min(high[1], _first_key(before)))
    return Span(low, high)


def _first_key(at_ms: int) -> int:
    return max(0, min(at_ms << RANDOM_BITS, _LARGEST))


def _starts(request: ListRequest) -> Span:
    low, high = LOWEST, HIGHEST
    if request.started_after is not None:
        low = (request.started_after, -1)
    if request.started_before is not None:
        high = (request.started_before, -1)
    return Span(low, high)
