"""What each change of the journal does to the file, one module per family of changes.

`apply` runs within a transaction that its caller commits. A change that is refused has changed
nothing. An exception other than a refusal leaves it half done: the caller undoes it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec

from perdure.ports import journal as port
from perdure.ports.journal import Change, Outcome
from perdure.store.sqlite.changes import appending, control, creation, inbox, timers

Handler = Callable[[apsw.Connection, Any], Outcome]


def _nothing(connection: apsw.Connection, change: port.Nothing) -> Outcome:
    return Outcome(done=True)


_HANDLERS: dict[type, Handler] = {
    port.CreateExecution: creation.create,
    port.AppendBatch: appending.append,
    port.PutInbox: inbox.put,
    port.ReadInbox: inbox.read,
    port.FireTimers: timers.fire,
    port.Admit: control.admit,
    port.Cancel: control.cancel,
    port.Pause: control.pause,
    port.Resume: control.resume,
    port.EndExecution: control.end,
    port.Prune: appending.prune,
    port.Nothing: _nothing,
}


def apply(connection: apsw.Connection, change: Change) -> Outcome:
    """Apply a change, and where it is done, what follows from it."""
    outcome = _HANDLERS[type(change)](connection, change)
    following = _following(change, outcome) if outcome.done else ()
    if not following:
        return outcome
    put = [*outcome.put]
    for next_change in following:
        put += apply(connection, next_change).put
    return msgspec.structs.replace(outcome, put=tuple(put))


def _following(change: Change, outcome: Outcome) -> Sequence[Change]:
    if isinstance(change, port.AppendBatch | port.EndExecution):
        return change.then
    if isinstance(change, port.Cancel) and outcome.status is not None and outcome.status.ended:
        return change.then
    return ()
