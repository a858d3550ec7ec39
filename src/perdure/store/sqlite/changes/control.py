"""Admission, cancels, pauses and ends from outside.

Each changes the status by compare-and-set from the status just read, along
`perdure.model.status.TRANSITIONS`; what the table does not have is refused.
"""

from collections.abc import Sequence

import apsw

from perdure.model.identifiers import execution_key
from perdure.model.status import Status, allowed
from perdure.ports.journal import (
    Admit,
    Cancel,
    End,
    EndExecution,
    Outcome,
    Pause,
    Put,
    Resume,
)
from perdure.store.sqlite.changes.appending import failure_json
from perdure.store.sqlite.changes.heads import DONE, UNKNOWN, Head, head, refused
from perdure.store.sqlite.changes.inbox import put_event
from perdure.store.sqlite.statements import load

_SQL = load("control.sql")
_TIMERS = load("timers.sql")


def admit(connection: apsw.Connection, change: Admit) -> Outcome:
    """Pending to running."""
    key = execution_key(change.execution_id)
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    if found.status is not Status.PENDING:
        return refused(found.status, "status")
    return _move(connection, "admit", key, found, Status.RUNNING, (change.at,))


def pause(connection: apsw.Connection, change: Pause) -> Outcome:
    """Pause or hold; the timers with it."""
    key = execution_key(change.execution_id)
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    error = failure_json(change.failure)
    outcome = _move(connection, "pause", key, found, Status.PAUSED, (change.at, error))
    if outcome.done:
        connection.execute(_TIMERS["hold_timers"], (key,))
    return outcome


def resume(connection: apsw.Connection, change: Resume) -> Outcome:
    """Lift a pause."""
    key = execution_key(change.execution_id)
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    if found.status is not Status.PAUSED:
        return refused(found.status, "status")
    return _lift_pause(connection, key, found, change.at)


def end(connection: apsw.Connection, change: EndExecution) -> Outcome:
    """End an execution without its program."""
    key = execution_key(change.execution_id)
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    return _end(connection, key, found, change.end)


def cancel(connection: apsw.Connection, change: Cancel) -> Outcome:
    """End at once what has no program to ask; else put the request into the inbox."""
    key = execution_key(change.execution_id)
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    if found.status.ended:
        return refused(found.status, "ended")
    paused = found.status is Status.PAUSED
    connection.execute(_SQL["request_cancel"], (key, change.at))
    if found.status is Status.PENDING or (
        paused and (change.without_program or found.started_at is None)
    ):
        return _end(connection, key, found, End(status=Status.CANCELLED, at=change.at))
    put: Sequence[Put] = ()
    if found.cancel_requested_at is None:
        put = put_event(connection, change.execution_id, change.event).put
        connection.execute(_SQL["note_control"], (key,))
    if paused:
        _lift_pause(connection, key, found, change.at)
    return Outcome(done=True, status=Status.RUNNING, put=put)


def _lift_pause(connection: apsw.Connection, key: int | None, found: Head, at: int) -> Outcome:
    after = Status.PENDING if found.started_at is None else Status.RUNNING
    outcome = _move(connection, "resume", key, found, after, ())
    if outcome.done:
        paused_at = at if found.paused_at is None else found.paused_at
        connection.execute(_TIMERS["release_timers"], (key, max(0, at - paused_at)))
    return outcome


def _end(connection: apsw.Connection, key: int | None, found: Head, end: End) -> Outcome:
    if not end.status.ended:
        raise ValueError(f"{end.status} is no end")
    return _move(connection, "end", key, found, end.status, (end.at, failure_json(end.error)))


def _move(
    connection: apsw.Connection,
    statement: str,
    key: int | None,
    found: Head,
    after: Status,
    values: tuple[int | str | None, ...],
) -> Outcome:
    """Change the status to `after` with a statement that takes key, before, after and `values`."""
    if not allowed(found.status, after):
        return refused(found.status, "status")
    connection.execute(_SQL[statement], (key, found.status, after, *values))
    return DONE[after]
