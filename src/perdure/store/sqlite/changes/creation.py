"""New executions."""

import apsw
import msgspec

from perdure.model.identifiers import RANDOM_BITS, execution_key
from perdure.model.status import Status
from perdure.ports.journal import CreateExecution, Outcome
from perdure.store.sqlite.changes import idempotency
from perdure.store.sqlite.changes.heads import DONE, refused
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
    parent, created_at = change.parent, key >> RANDOM_BITS
    connection.execute(
        _CREATE,
        (
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
        ),
    )
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
