"""Idempotency keys: which execution each has started."""

from typing import Any

import apsw

from perdure.model.identifiers import execution_id
from perdure.ports.journal import CreateExecution, ForgetKeys, IdempotencyKey, Outcome, Reason
from perdure.store.sqlite.statements import load

_SQL = load("starting.sql")


def known(
    connection: apsw.Connection, change: CreateExecution, under: IdempotencyKey
) -> Outcome | None:
    """The refusal of an execution whose key stands for another one; None for a new key."""
    values = (under.caller, change.workflow_id, under.key)
    found: list[Any] = connection.execute(_SQL["keyed"], values).fetchall()
    if not found:
        return None
    ((execution, digest, expires_at),) = found
    if expires_at <= change.created_at:
        return None
    reason: Reason = "repeated" if digest == under.digest else "mismatch"
    return Outcome(done=False, reason=reason, execution_id=execution_id(execution))


def record(
    connection: apsw.Connection, key: int, change: CreateExecution, under: IdempotencyKey
) -> None:
    """Note that the key stands for the execution `key`, which is recorded with it."""
    connection.execute(
        _SQL["put_key"],
        (under.caller, change.workflow_id, under.key, under.digest, key, under.expires_at),
    )


def forget(connection: apsw.Connection, change: ForgetKeys) -> Outcome:
    """Delete keys that have expired."""
    connection.execute(_SQL["forget_keys"], (change.now_ms, change.limit))
    return Outcome(done=True, count=connection.changes())
