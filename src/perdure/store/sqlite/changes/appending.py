"""Appending batches (docs/journal.md, section 7), and forgetting those of earlier generations."""

import apsw
import msgspec

from perdure.model.failure import Failure
from perdure.model.identifiers import execution_key
from perdure.model.status import Status, allowed
from perdure.ports.journal import AppendBatch, End, Outcome, Prune
from perdure.store.sqlite.changes.heads import DONE, UNKNOWN, head, refused
from perdure.store.sqlite.statements import load

_SQL = load("appending.sql")
_APPEND = _SQL["append"]
_APPEND_END = _SQL["append_end"]
_PUT_BATCH = _SQL["put_batch"]
_DELETE_ROWS = load("inbox.sql")["delete_rows"]
_PUT_INPUTS = load("creation.sql")["put_inputs"]
_TIMERS = load("timers.sql")


def append(connection: apsw.Connection, change: AppendBatch) -> Outcome:
    """Append a batch if section 7 allows it: the guard is part of the first statement."""
    key = execution_key(change.execution_id)
    end = change.end
    guard = (
        key,
        change.seq,
        change.epoch,
        change.inbox_seen,
        change.inbox_known,
        change.guarded,
        len(change.body),
    )
    if end is None:
        connection.execute(_APPEND, (*guard, change.active))
    else:
        _check_end(end)
        connection.execute(_APPEND_END, (*guard, end.status, end.at, failure_json(end.error)))
    if not connection.changes():
        return _refusal(connection, key, change)
    connection.execute(_PUT_BATCH, (key, change.seq, change.body))
    if end is not None:
        return DONE[end.status]
    if change.inbox_seen:
        connection.execute(_DELETE_ROWS, (key, change.inbox_seen))
    if change.new_inputs is not None:
        _begin_generation(connection, key, change.new_inputs)
    if change.timers_cleared:
        connection.executemany(
            _TIMERS["clear_timer"], [(key, position) for position in change.timers_cleared]
        )
    if change.timers_set:
        connection.executemany(
            _TIMERS["set_timer"],
            [(key, timer.position, timer.due_ms, timer.absolute) for timer in change.timers_set],
        )
    return DONE[Status.RUNNING]


def prune(connection: apsw.Connection, change: Prune) -> Outcome:
    """Delete up to `limit` batches of earlier generations."""
    count = 0
    while count < change.limit:
        outdated = connection.execute(_SQL["first_outdated"]).fetchone()
        if outdated is None:
            break
        key, journal_start = outdated
        limit = change.limit - count
        connection.execute(_SQL["delete_outdated"], (key, journal_start, limit))
        deleted = connection.changes()
        if deleted < limit:
            connection.execute(_SQL["forget_outdated"], (key,))
        count += deleted
    return Outcome(done=True, count=count)


def failure_json(failure: Failure | None) -> str | None:
    """A failure as it is stored."""
    return None if failure is None else msgspec.json.encode(failure).decode()


def _begin_generation(connection: apsw.Connection, key: int | None, inputs: bytes) -> None:
    connection.execute(_SQL["begin_generation"], (key,))
    connection.execute(_SQL["note_outdated"], (key,))
    connection.execute(_PUT_INPUTS, (key, inputs))
    connection.execute(_TIMERS["clear_timers"], (key,))
    connection.execute(_SQL["drop_answers"], (key,))


def _check_end(end: End) -> None:
    if not (end.status.ended and allowed(Status.RUNNING, end.status)):
        raise ValueError(f"a batch does not end an execution as {end.status}")


def _refusal(connection: apsw.Connection, key: int | None, change: AppendBatch) -> Outcome:
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    if found.status is not Status.RUNNING:
        return refused(found.status, "status")
    if found.next_seq != change.seq or found.epoch > change.epoch:
        return refused(found.status, "stale")
    return refused(found.status, "control")
