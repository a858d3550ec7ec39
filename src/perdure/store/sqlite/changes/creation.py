"""New executions."""

import apsw
import msgspec

from perdure.model.identifiers import RANDOM_BITS, execution_key
from perdure.model.status import Status
from perdure.ports.journal import CreateExecution, Outcome
from perdure.store.sqlite.changes import idempotency
from perdure.store.sqlite.changes.heads import DONE, refused
from perdure.store.sqlite.changes.rows import ROW_BYTES, ROWS_LIMIT, Row, as_json, make
from perdure.store.sqlite.statements import load

_SQL = load("creation.sql")
_CREATE = _SQL["create_execution"]
_PUT_INPUTS = _SQL["put_inputs"]


def create(connection: apsw.Connection, change: CreateExecution) -> Outcome:
    """Record a new execution, unless its idempotency key is known; "duplicate" for a taken id."""
    key = execution_key(change.execution_id)
    if key is None:
        raise ValueError(f"{change.execution_id!r} is no execution id")
    if change.idempotency is not None:
        known = idempotency.known(connection, change, change.idempotency)
        if known is not None:
            return known
    connection.execute(_CREATE, (as_json([_row(key, change)]),))
    if not connection.changes():
        return refused(change.status, "duplicate")
    connection.execute(_PUT_INPUTS, (key, change.inputs))
    if change.tags:
        connection.executemany(
            _SQL["put_tag"], [(f"{name}:{value}", key) for name, value in change.tags.items()]
        )
    if change.idempotency is not None:
        idempotency.record(connection, key, change, change.idempotency)
    return DONE[change.status]


def is_plain(change: CreateExecution) -> bool:
    """Whether `NewExecutions` does all that there is to do for it."""
    return not change.tags and change.idempotency is None and len(change.inputs) <= ROW_BYTES


class NewExecutions:
    """Plain creations, made in few statements."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self._inputs: list[Row] = []

    def add(self, change: CreateExecution) -> Outcome:
        """Take a plain creation; the outcome that it has if `flush` does not raise."""
        key = execution_key(change.execution_id)
        if key is None:
            raise ValueError(f"{change.execution_id!r} is no execution id")
        self._rows.append(_row(key, change))
        self._inputs.append((key, change.inputs.decode()))
        if len(self._rows) == ROWS_LIMIT:
            self.flush()
        return DONE[change.status]

    def flush(self) -> None:
        """Make them. Raises ApartError where an id is taken."""
        make(self._connection, _CREATE, self._rows)
        make(self._connection, _SQL["put_all_inputs"], self._inputs)


def _row(key: int, change: CreateExecution) -> Row:
    parent, created_at = change.parent, key >> RANDOM_BITS
    return (
        key,
        change.workflow_id,
        change.workflow_version,
        change.digest,
        change.status,
        created_at,
        created_at if change.status is Status.RUNNING else None,
        msgspec.json.encode(change.tags).decode() if change.tags else "{}",
        change.priority,
        change.timeout_ms,
        change.created_by,
        execution_key(parent.execution_id) if parent else None,
        parent.position if parent else None,
        change.start_at,
        change.depth,
    )
