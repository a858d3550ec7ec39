"""Children and parents: what a batch means for other executions, in its own transaction."""

from collections.abc import Callable, Sequence

import msgspec

from perdure.engine.catalog import check
from perdure.engine.state import Owned, State
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine.batch import encode_event
from perdure.model import failure as failures
from perdure.model.identifiers import created_ms
from perdure.model.status import Status
from perdure.ports.journal import Change, CreateExecution, End, Parent, PutInbox
from perdure.ports.runtime import RefusedError

DEEPEST = 64
"""How many executions may stand above a child, whether they await it or not."""
_NOT_STARTED = "The child could not be started"


class Families:
    """Starts children, and tells parents of ends."""

    def __init__(self, state: State, new_id: Callable[[], str]) -> None:
        self._state = state
        self._new_id = new_id

    def follow(self, owned: Owned, append: m.Append) -> Sequence[Change]:
        """What follows from an append beyond its execution."""
        changes: list[Change] = []
        for child in append.children:
            changes += self._child(owned, child)
        if append.end is not None and owned.parent is not None:
            ended = append.end
            end = End(
                status=Status(ended.status), at=self._state.clock.now_ms(), error=ended.failure
            )
            changes += told_to_parent(
                owned.execution_id, owned.parent, owned.run, end, ended.result
            )
        return changes

    def _child(self, owned: Owned, child: m.NewChild) -> Sequence[Change]:
        """A child, pending; or that it could not be started."""
        now_ms = self._state.clock.now_ms()
        if owned.depth >= DEEPEST:
            text = (
                f"workflows that start one another are nested at most {DEEPEST} deep, and this one "
                "stands there: let what goes on without an end continue as new"
            )
            return _not_started(owned, child, now_ms, failures.runtime(text, title=_NOT_STARTED))
        try:
            entry = self._state.catalog.find(child.workflow_id, child.version)
            check(entry, child.inputs)
        except RefusedError as refused:
            details = "; ".join(f"{p.location}: {p.message}" for p in refused.problems)
            text = f"{refused.detail}{': ' if details else ''}{details}"
            failure = failures.validation(text, title=_NOT_STARTED)
            return _not_started(owned, child, now_ms, failure)
        execution_id = self._new_id()
        served = entry.served
        create = CreateExecution(
            execution_id=execution_id,
            workflow_id=served.workflow_id,
            workflow_version=served.version,
            digest=served.digest,
            status=Status.PENDING,
            created_at=created_ms(execution_id),
            inputs=child.inputs,
            tags=served.tags,
            priority=owned.priority,
            timeout_ms=served.timeout_ms,
            created_by=owned.execution_id,
            parent=Parent(owned.execution_id, child.position) if child.wait else None,
            depth=owned.depth + 1,
        )
        if child.wait:
            return [create]
        started = e.ChildStarted(time=now_ms, position=child.position, execution_id=execution_id)
        return [create, PutInbox(execution_id=owned.execution_id, event=encode_event(started))]


def _not_started(
    owned: Owned, child: m.NewChild, now_ms: int, failure: failures.Failure
) -> Sequence[Change]:
    failed = e.ChildFailed(time=now_ms, position=child.position, failure=failure)
    return [PutInbox(execution_id=owned.execution_id, event=encode_event(failed))]


def told_to_parent(
    execution_id: str, parent: Parent | None, run: int, end: End, result: bytes | None = None
) -> Sequence[Change]:
    """What tells the parent of an end. It is told once: not of an operator's later runs."""
    if parent is None or run > 1:
        return ()
    time, position = end.at, parent.position
    event: e.AnyEvent
    if end.status is Status.COMPLETED:
        value = msgspec.Raw(result or b"null")
        event = e.ChildCompleted(
            time=time, position=position, execution_id=execution_id, result=value
        )
    elif end.status is Status.FAILED and end.error is not None:
        event = e.ChildFailed(
            time=time, position=position, execution_id=execution_id, failure=end.error
        )
    else:
        event = e.ChildCancelled(time=time, position=position, execution_id=execution_id)
    return [PutInbox(execution_id=parent.execution_id, event=encode_event(event))]
