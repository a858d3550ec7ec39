"""Workflows that callers may not execute any more."""

import apsw

from perdure.ports.journal import Outcome, Retire
from perdure.store.sqlite.statements import load

_RETIRE = load("starting.sql")["retire"]


def retire(connection: apsw.Connection, change: Retire) -> Outcome:
    """Record a retirement, in place of an earlier one of the same workflow."""
    retired = change.retirement
    connection.execute(_RETIRE, (retired.workflow_id, retired.version, retired.retired_at))
    return Outcome(done=True)
