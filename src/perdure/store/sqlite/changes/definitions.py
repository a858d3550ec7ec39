"""Definitions that are registered."""

from typing import Any

import apsw
import msgspec

from perdure.ports.definitions import Register
from perdure.ports.journal import Outcome
from perdure.store.sqlite.statements import load

_SQL = load("definitions.sql")


def register(connection: apsw.Connection, change: Register) -> Outcome:
    """Keep a definition, unless its workflow has the version: "duplicate" or "mismatch" then."""
    definition = change.definition
    served = definition.served
    named = (served.workflow_id, served.version)
    announcement = msgspec.json.encode(served).decode()
    connection.execute(
        _SQL["register"],
        (
            *named,
            served.digest,
            change.registered_at,
            announcement,
            definition.source,
            definition.body,
        ),
    )
    if connection.changes():
        return Outcome(done=True)
    found: list[Any] = connection.execute(_SQL["digest"], named).fetchall()
    same = found == [(served.digest,)]
    return Outcome(done=False, reason="duplicate" if same else "mismatch")
