"""What each change of the journal does to the file, one module per family of changes.

`apply` and `apply_together` run within a transaction that their caller commits. A change that is
refused has changed nothing. An exception leaves it half done: the caller undoes it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec

from perdure.ports import definitions as definitions_port
from perdure.ports import journal as port
from perdure.ports.journal import Change, Outcome
from perdure.store.sqlite.changes import (
    appending,
    control,
    creation,
    definitions,
    idempotency,
    inbox,
    retirement,
    scheduled,
    timers,
)

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
    port.ReleaseScheduled: scheduled.release,
    port.Retire: retirement.retire,
    definitions_port.Register: definitions.register,
    port.Prune: appending.prune,
    port.ForgetKeys: idempotency.forget,
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


def apply_together(connection: apsw.Connection, changes: Sequence[Change]) -> list[Outcome]:
    """Apply changes as `apply` does one after the other, but in fewer statements.

    Raises ApartError where one of them is refused that was applied with others.
    """
    new, appends = creation.NewExecutions(connection), appending.Appends(connection)

    def flush() -> None:
        new.flush()
        appends.flush()

    outcomes: list[Outcome] = []
    for change in changes:
        if isinstance(change, port.CreateExecution) and creation.is_plain(change):
            # It comes before all batches of its execution: those taken are of others.
            outcomes.append(new.add(change))
        elif isinstance(change, port.AppendBatch) and appending.is_plain(change):
            if not appends.has_room(change):
                flush()
            outcomes.append(appends.add(change))
        else:
            flush()
            outcomes.append(apply(connection, change))
    flush()
    return outcomes


def _following(change: Change, outcome: Outcome) -> Sequence[Change]:
    if isinstance(change, port.AppendBatch | port.EndExecution):
        return change.then
    if isinstance(change, port.Cancel) and outcome.status is not None and outcome.status.ended:
        return change.then
    return ()
