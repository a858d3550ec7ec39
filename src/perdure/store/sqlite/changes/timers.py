"""Due timers: out of `timers` and into the inbox, in one transaction."""

import apsw

from perdure.machine.batch import encode_event
from perdure.machine.events import TimerFired
from perdure.model.identifiers import execution_key
from perdure.ports.journal import FireTimers, Outcome, Put
from perdure.store.sqlite.changes.inbox import put_event
from perdure.store.sqlite.statements import load

_TAKE = load("timers.sql")["take_due_timer"]


def fire(connection: apsw.Connection, change: FireTimers) -> Outcome:
    """Fire those of the timers that still stand, are due and not held."""
    put: list[Put] = []
    for execution_id, position in change.timers:
        key = execution_key(execution_id)
        connection.execute(_TAKE, (key, position, change.now_ms))
        if not connection.changes():
            continue
        event = encode_event(TimerFired(time=change.now_ms, position=position))
        put += put_event(connection, execution_id, event).put
    return Outcome(done=True, put=tuple(put))
