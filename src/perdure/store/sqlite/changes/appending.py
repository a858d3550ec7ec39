"""Appending batches (docs/journal.md, section 7), and forgetting those of earlier generations."""

import apsw
import msgspec

from perdure.model.failure import Failure
from perdure.model.identifiers import execution_key
from perdure.model.status import Status, allowed
from perdure.ports.journal import AppendBatch, End, Outcome, Prune
from perdure.store.sqlite.changes.heads import DONE, UNKNOWN, head, refused
from perdure.store.sqlite.changes.rows import ROW_BYTES, ROWS_LIMIT, Row, as_json, make
from perdure.store.sqlite.statements import load

_SQL = load("appending.sql")
_APPEND = _SQL["append"]
_APPEND_END = _SQL["append_end"]
_PUT_BATCH = _SQL["put_batch"]
_PUT_BATCHES = _SQL["put_batches"]
_DELETE_ROWS = load("inbox.sql")["delete_rows"]
_PUT_INPUTS = load("creation.sql")["put_inputs"]
_TIMERS = load("timers.sql")


def append(connection: apsw.Connection, change: AppendBatch) -> Outcome:
    """Append a batch if section 7 allows it: the guard is part of the first statement."""
    key = execution_key(change.execution_id)
    end = change.end
    if end is None:
        connection.execute(_APPEND, (as_json([_going_on(key, change)]),))
    else:
        connection.execute(_APPEND_END, (as_json([_ending(key, change, end)]),))
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


def is_plain(change: AppendBatch) -> bool:
    """Whether `Appends` does all that there is to do for it."""
    return not (
        change.then
        or change.inbox_seen
        or change.timers_set
        or change.timers_cleared
        or change.new_inputs is not None
        or len(change.body) > ROW_BYTES
    )


class Appends:
    """Plain appends of several executions, made in few statements."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._going_on: list[Row] = []
        self._ending: list[Row] = []
        self._bodies: list[Row] = []
        self._keys: set[int | None] = set()

    def has_room(self, change: AppendBatch) -> bool:
        """Whether it may be added before the next `flush`: an execution goes on once in each."""
        key = execution_key(change.execution_id)
        return key not in self._keys and len(self._keys) < ROWS_LIMIT

    def add(self, change: AppendBatch) -> Outcome:
        """Take a plain append; the outcome that it has if `flush` does not raise."""
        key = execution_key(change.execution_id)
        self._keys.add(key)
        self._bodies.append((key, change.seq, change.body.decode()))
        end = change.end
        if end is None:
            self._going_on.append(_going_on(key, change))
            return DONE[Status.RUNNING]
        self._ending.append(_ending(key, change, end))
        return DONE[end.status]

    def flush(self) -> None:
        """Make them. Raises ApartError where one of them is refused."""
        make(self._connection, _APPEND, self._going_on)
        make(self._connection, _APPEND_END, self._ending)
        make(self._connection, _PUT_BATCHES, self._bodies)
        self._keys.clear()


def _going_on(key: int | None, change: AppendBatch) -> Row:
    return (*_guard(key, change), change.active)


def _ending(key: int | None, change: AppendBatch, end: End) -> Row:
    if not (end.status.ended and allowed(Status.RUNNING, end.status)):
        raise ValueError(f"a batch does not end an execution as {end.status}")
    return (*_guard(key, change), end.status, end.at, failure_json(end.error))


def _guard(key: int | None, change: AppendBatch) -> Row:
    return (
        key,
        change.seq,
        change.epoch,
        change.inbox_seen,
        change.inbox_known,
        change.guarded,
        len(change.body),
    )


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


def _refusal(connection: apsw.Connection, key: int | None, change: AppendBatch) -> Outcome:
    found = head(connection, key)
    if found is None:
        return UNKNOWN
    if found.status is not Status.RUNNING:
        return refused(found.status, "status")
    if found.next_seq != change.seq or found.epoch > change.epoch:
        return refused(found.status, "stale")
    return refused(found.status, "control")
