"""The inbox (docs/journal.md, section 6)."""

from typing import Any

import apsw

from perdure.model.identifiers import execution_key
from perdure.model.status import Status
from perdure.ports.journal import INBOX_LIMIT, Outcome, Put, PutInbox, ReadInbox
from perdure.store.sqlite.changes.heads import DONE, UNKNOWN, head, refused
from perdure.store.sqlite.statements import load

_SQL = load("inbox.sql")
_UNLIMITED = (1 << 63) - 1


def put(connection: apsw.Connection, change: PutInbox) -> Outcome:
    """Put an event into an inbox, once where it has an id."""
    key = execution_key(change.execution_id)
    if change.event_id is not None:
        values = (key, change.event_id)
        if connection.execute(_SQL["has_event_id"], values).fetchone():
            found = head(connection, key)
            return UNKNOWN if found is None else refused(found.status, "duplicate")
    limit = INBOX_LIMIT if change.limited else _UNLIMITED
    outcome = _put(connection, change.execution_id, change.event, limit, change.generation)
    if outcome.done and change.event_id is not None:
        connection.execute(_SQL["put_event_id"], (key, change.event_id))
    return outcome


def put_event(connection: apsw.Connection, execution_id: str, event: bytes) -> Outcome:
    """Put an event under the next number; refused as unknown or ended."""
    return _put(connection, execution_id, event, _UNLIMITED, None)


def _put(
    connection: apsw.Connection,
    execution_id: str,
    event: bytes,
    limit: int,
    generation: int | None,
) -> Outcome:
    key = execution_key(execution_id)
    numbered: list[Any] = connection.execute(
        _SQL["number_row"], (key, limit, generation)
    ).fetchall()
    if not numbered:
        found = head(connection, key)
        if found is None:
            return UNKNOWN
        is_stale = generation is not None and found.journal_start != generation
        return refused(found.status, "stale" if is_stale else "full")
    inbox_seq, status = numbered[0]
    connection.execute(_SQL["put_row"], (key, inbox_seq, event))
    return Outcome(done=True, status=Status(status), put=(Put(execution_id, inbox_seq, event),))


def read(connection: apsw.Connection, change: ReadInbox) -> Outcome:
    """Delete rows that the owner has read and that made no batch."""
    key = execution_key(change.execution_id)
    changed: list[Any] = connection.execute(
        _SQL["read_inbox"], (key, change.epoch, change.inbox_seen, change.working)
    ).fetchall()
    if not changed:
        found = head(connection, key)
        return UNKNOWN if found is None else refused(found.status, "stale")
    connection.execute(_SQL["delete_rows"], (key, change.inbox_seen))
    return DONE[Status(changed[0][0])]
