"""Reading the journal: what is on disk, from any thread, without waiting for the writer."""

from collections.abc import Mapping, Sequence
from typing import Any

import apsw
import msgspec

from perdure.model.failure import Failure
from perdure.model.identifiers import execution_id, execution_key
from perdure.model.status import Status
from perdure.ports.journal import InboxEntry, Keyed, Parent, Retirement, Row, Snapshot
from perdure.store.sqlite.connections import Readers
from perdure.store.sqlite.statements import load

_SQL = load("journal_reads.sql")
_STARTING = load("starting.sql")
_LARGEST = (1 << 63) - 1

_tags = msgspec.json.Decoder(dict[str, str])
_failure = msgspec.json.Decoder(Failure)


class JournalReads:
    """The reading half of the port `Journal`. An id that is none is an unknown execution."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def row(self, execution_id: str) -> Row | None:
        return _read_row(self._readers.connection(), execution_key(execution_id))

    def snapshot(self, execution_id: str) -> Snapshot | None:
        key = execution_key(execution_id)
        connection = self._readers.connection()
        connection.execute("BEGIN")
        try:
            row = _read_row(connection, key)
            if row is None:
                return None
            return Snapshot(
                row=row,
                inputs=_read_inputs(connection, key),
                batches=_read_batches(connection, key, row.journal_start, _LARGEST),
                inbox=[
                    InboxEntry(inbox_seq, body)
                    for inbox_seq, body in connection.execute(_SQL["inbox"], (key,))
                ],
            )
        finally:
            connection.execute("COMMIT")

    def inputs(self, execution_id: str) -> bytes:
        return _read_inputs(self._readers.connection(), execution_key(execution_id))

    def batches(self, execution_id: str, first_seq: int, limit: int) -> Sequence[bytes]:
        connection = self._readers.connection()
        return _read_batches(connection, execution_key(execution_id), first_seq, limit)

    def outcomes(self, execution_id: str) -> Sequence[bytes]:
        connection = self._readers.connection()
        key = execution_key(execution_id)
        found: list[Any] = connection.execute(_SQL["outcomes"], (key,)).fetchall()
        return [body for (body,) in found]

    def timers(self, execution_id: str) -> Mapping[str, int]:
        connection = self._readers.connection()
        found: list[Any] = connection.execute(
            _SQL["timers"], (execution_key(execution_id),)
        ).fetchall()
        return dict(found)

    def child(self, parent_id: str, position: str) -> str | None:
        connection = self._readers.connection()
        values = (execution_key(parent_id), position)
        found: list[Any] = connection.execute(_SQL["child"], values).fetchall()
        return execution_id(found[0][0]) if found else None

    def pending(self, limit: int) -> Sequence[str]:
        return [execution_id(key) for (key,) in self._all("pending", limit)]

    def pending_count(self, limit: int) -> int:
        ((count,),) = self._all("pending_count", limit)
        return int(count)

    def active(self, after: str | None, limit: int) -> Sequence[str]:
        bound = -1 if after is None else execution_key(after)
        return [execution_id(key) for (key,) in self._all("active", bound, limit)]

    def due_timers(self, now_ms: int, limit: int) -> Sequence[tuple[str, str]]:
        due = self._all("due_timers", now_ms, limit)
        return [(execution_id(key), position) for key, position in due]

    def next_due_ms(self) -> int | None:
        first = self._all("next_due")
        return first[0][0] if first else None

    def next_start_ms(self) -> int | None:
        first: list[Any] = self._readers.connection().execute(_STARTING["next_start"]).fetchall()
        return first[0][0] if first else None

    def keyed(self, caller: str, workflow_id: str, key: str) -> Keyed | None:
        values = (caller, workflow_id, key)
        found: list[Any] = self._readers.connection().execute(_STARTING["keyed"], values).fetchall()
        if not found:
            return None
        ((execution, digest, expires_at),) = found
        return Keyed(execution_id(execution), digest, expires_at)

    def retirements(self) -> Sequence[Retirement]:
        connection = self._readers.connection()
        found: list[Any] = connection.execute(_STARTING["retirements"]).fetchall()
        return [Retirement(*values) for values in found]

    def newest_id(self) -> str | None:
        newest = self._all("newest_key")
        return execution_id(newest[0][0]) if newest else None

    def _all(self, statement: str, *values: int | None) -> list[Any]:
        return self._readers.connection().execute(_SQL[statement], values).fetchall()


def _read_row(connection: apsw.Connection, key: int | None) -> Row | None:
    found: list[Any] = connection.execute(_SQL["row"], (key,)).fetchall()
    return _row(found[0]) if found else None


def _read_inputs(connection: apsw.Connection, key: int | None) -> bytes:
    found: list[Any] = connection.execute(_SQL["inputs"], (key,)).fetchall()
    return found[0][0] if found else b"{}"


def _read_batches(
    connection: apsw.Connection, key: int | None, first_seq: int, limit: int
) -> list[bytes]:
    values = (key, first_seq, limit)
    found: list[Any] = connection.execute(_SQL["batches"], values).fetchall()
    return [body for (body,) in found]


def _row(values: Sequence[Any]) -> Row:
    (
        key,
        workflow_id,
        workflow_version,
        digest,
        status,
        created_at,
        started_at,
        completed_at,
        tags,
        priority,
        timeout_ms,
        created_by,
        parent_key,
        parent_position,
        run,
        epoch,
        next_seq,
        journal_start,
        journal_bytes,
        inbox_read,
        control_seq,
        active,
        cancel_requested_at,
        paused_at,
        error,
        start_at,
        inbox_seq,
        depth,
    ) = values
    return Row(
        execution_id=execution_id(key),
        workflow_id=workflow_id,
        workflow_version=workflow_version,
        digest=digest,
        status=Status(status),
        created_at=created_at,
        started_at=started_at,
        completed_at=completed_at,
        tags={} if tags == "{}" else _tags.decode(tags),
        priority=priority,
        timeout_ms=timeout_ms,
        created_by=created_by,
        parent=(
            None
            if parent_key is None
            else Parent(execution_id=execution_id(parent_key), position=parent_position)
        ),
        run=run,
        epoch=epoch,
        next_seq=next_seq,
        journal_start=journal_start,
        journal_bytes=journal_bytes,
        inbox_read=inbox_read,
        control_seq=control_seq,
        active=bool(active),
        cancel_requested_at=cancel_requested_at,
        paused_at=paused_at,
        error=None if error is None else _failure.decode(error),
        start_at=start_at,
        inbox_seq=inbox_seq,
        depth=depth,
    )
