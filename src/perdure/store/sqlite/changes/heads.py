"""The head of an execution as guards read it, and why a change is refused."""

from typing import NamedTuple

import apsw

from perdure.model.status import Status
from perdure.ports.journal import Outcome, Reason
from perdure.store.sqlite.statements import load

_SQL = load("control.sql")
_HEAD = _SQL["head"]

UNKNOWN = Outcome(done=False, reason="unknown")
DONE = {status: Outcome(done=True, status=status) for status in Status}


class Head(NamedTuple):
    """What refusals and changes of status depend on."""

    status: Status
    epoch: int
    next_seq: int
    started_at: int | None
    paused_at: int | None
    cancel_requested_at: int | None
    journal_start: int


def head(connection: apsw.Connection, key: int | None) -> Head | None:
    """The head of an execution, or None where there is none."""
    row = connection.execute(_HEAD, (key,)).fetchone()
    return None if row is None else Head(Status(row[0]), *row[1:])


def refused(status: Status, reason: Reason) -> Outcome:
    """The refusal of a change; an end is the reason before any other."""
    return Outcome(done=False, reason="ended" if status.ended else reason, status=status)
