"""Executions that wait for the moment of their start."""

import apsw

from perdure.ports.journal import Outcome, ReleaseScheduled
from perdure.store.sqlite.statements import load

_RELEASE = load("starting.sql")["release_scheduled"]


def release(connection: apsw.Connection, change: ReleaseScheduled) -> Outcome:
    """Let those be admitted whose moment has come."""
    connection.execute(_RELEASE, (change.now_ms, change.limit))
    return Outcome(done=True, count=connection.changes())
