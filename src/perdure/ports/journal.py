"""The journal as the engine writes and reads it (docs/journal.md).

Writing: a `Change` is submitted; it takes effect, whole or not at all, in the order of submission,
and its `Outcome` is reported once it is on disk. Reading: plain calls, which see what is on disk;
they may be made from any thread and never wait for a writer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from perdure.model.failure import Failure
from perdure.model.status import Status
from perdure.ports.definitions import Definitions, Register
from perdure.ports.executions import Executions

INBOX_LIMIT = 10_000
"""Unread rows that an inbox may hold before outside events are refused."""


class Parent(msgspec.Struct, frozen=True):
    """The execution that awaits this one, and where."""

    execution_id: str
    position: str


class IdempotencyKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key under which a caller starts one execution of a workflow, however often it asks.

    `caller` is empty for one without a name; `digest` is that of what is asked for. From
    `expires_at` on the key counts as new.
    """

    caller: str
    key: str
    digest: bytes
    expires_at: int


class CreateExecution(msgspec.Struct, frozen=True, kw_only=True):
    """Record a new execution. `status` is running where it begins at once, else pending.

    `created_at` is the moment in the id: it is what is recorded. A pending one with `start_at` is
    not admitted before that moment. With `idempotency` it is recorded together with its key; where
    that is known already the change is refused, and `Outcome.execution_id` is the one that it
    stands for: "repeated", or "mismatch" where the digest is another. `depth` is how many
    executions stand above one that another execution starts.
    """

    execution_id: str
    workflow_id: str
    workflow_version: str
    digest: str
    status: Status
    created_at: int
    inputs: bytes
    tags: dict[str, str] = {}
    priority: int = 0
    timeout_ms: int | None = None
    created_by: str | None = None
    parent: Parent | None = None
    depth: int = 0
    start_at: int | None = None
    idempotency: IdempotencyKey | None = None


class TimerSet(msgspec.Struct, frozen=True, array_like=True):
    """A timer to keep."""

    position: str
    due_ms: int
    absolute: bool


class End(msgspec.Struct, frozen=True, kw_only=True):
    """An execution's end."""

    status: Status
    at: int
    error: Failure | None = None


class AppendBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Append a batch under the rules of section 7; `then` happens in the same transaction.

    `inbox_seen` is how far the owner has read, `inbox_known` how far it has been told; `guarded`,
    whether the batch begins or ends something, so that a cancel that the owner does not know of
    refuses it; `active`, whether work is left for a worker (unread rows of the inbox keep an
    execution active all the same); `new_inputs`, the inputs of the generation that begins after
    this batch (continue as new).
    """

    execution_id: str
    epoch: int
    seq: int
    inbox_seen: int
    inbox_known: int
    body: bytes
    guarded: bool
    active: bool
    timers_set: Sequence[TimerSet] = ()
    timers_cleared: Sequence[str] = ()
    new_inputs: bytes | None = None
    end: End | None = None
    then: "Sequence[Change]" = ()


class PutInbox(msgspec.Struct, frozen=True, kw_only=True):
    """Put an event into an execution's inbox.

    With `event_id` it is put once ("duplicate" afterwards). `limited` inboxes refuse when full.
    What answers a command names the `generation` that asked, by the number of its first batch:
    another one refuses ("stale"). An ended execution refuses ("ended"). Sets `active`.
    """

    execution_id: str
    event: bytes
    event_id: str | None = None
    limited: bool = False
    generation: int | None = None


class ReadInbox(msgspec.Struct, frozen=True, kw_only=True):
    """Delete rows up to `inbox_seen` that the owner has read and that made no batch.

    Refused ("stale") under an epoch lower than the recorded one. Clears `active` where nothing is
    unread after it and `working` is false.
    """

    execution_id: str
    epoch: int
    inbox_seen: int
    working: bool = False


class FireTimers(msgspec.Struct, frozen=True, kw_only=True):
    """Move due timers into inboxes: those of `timers` that still stand, are due and not held."""

    now_ms: int
    timers: Sequence[tuple[str, str]]


class Admit(msgspec.Struct, frozen=True, kw_only=True):
    """Pending to running: sets `started_at` if it is not set, at the earliest to `created_at`."""

    execution_id: str
    at: int


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an execution to be cancelled.

    Pending, or held (`without_program`): it ends at once as cancelled. Running, or paused by an
    operator: `event` goes into the inbox, its number becomes `control_seq`, and a pause is lifted
    as by Resume. Repeated: no second event, done all the same. An execution paused before it
    started ends at once too. `then` happens only where it ends at once.
    """

    execution_id: str
    at: int
    event: bytes
    without_program: bool = False
    then: "Sequence[Change]" = ()


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Pause a pending or running execution; with `failure` it is held, and says why."""

    execution_id: str
    at: int
    failure: Failure | None = None


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Lift a pause: relative timers move by the time that it lasted, the error is cleared.

    The status becomes running, or pending if it had not started.
    """

    execution_id: str
    at: int


class EndExecution(msgspec.Struct, frozen=True, kw_only=True):
    """End an execution without its program (crash loop, journal limit)."""

    execution_id: str
    end: End
    then: "Sequence[Change]" = ()


class Prune(msgspec.Struct, frozen=True, kw_only=True):
    """Delete up to `limit` batches of earlier generations."""

    limit: int


class ReleaseScheduled(msgspec.Struct, frozen=True, kw_only=True):
    """Let up to `limit` pending executions be admitted whose `start_at` has come; `count` of them.

    Their `start_at` is None from now on.
    """

    now_ms: int
    limit: int


class ForgetKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Delete up to `limit` idempotency keys that have expired; `count` of them."""

    now_ms: int
    limit: int


class Retirement(msgspec.Struct, frozen=True):
    """A workflow of which callers execute no version up to this one, the highest served then."""

    workflow_id: str
    version: str
    retired_at: int


class Retire(msgspec.Struct, frozen=True):
    """Record a retirement, in place of an earlier one of the same workflow."""

    retirement: Retirement


class Nothing(msgspec.Struct, frozen=True):
    """Change nothing: its outcome says that everything submitted before is on disk."""


Change = (
    CreateExecution
    | AppendBatch
    | PutInbox
    | ReadInbox
    | FireTimers
    | Admit
    | Cancel
    | Pause
    | Resume
    | EndExecution
    | Prune
    | ReleaseScheduled
    | ForgetKeys
    | Retire
    | Register
    | Nothing
)

Reason = Literal[
    "",
    "unknown",  # no such execution
    "ended",  # it has ended
    "status",  # its status does not allow it (see Outcome.status)
    "stale",  # another epoch, sequence or generation
    "control",  # a cancel is unknown to the owner
    "duplicate",  # an event (or an execution, a definition) with this id is there already
    "full",  # the inbox is full
    "repeated",  # the idempotency key stands for an execution that was asked for in the same way
    "mismatch",  # it stands for one that was asked for in another way; another definition
    "storage",  # the write failed; see Outcome.detail
]


class Put(msgspec.Struct, frozen=True, array_like=True):
    """A row that went into an inbox."""

    execution_id: str
    inbox_seq: int
    event: bytes


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change.

    `status` is the execution's after it, `put` the rows that went into inboxes, its own and those
    of `then`; `count` the rows that were concerned, where a change has a limit; `execution_id` the
    execution that an idempotency key stands for.
    """

    done: bool
    reason: Reason = ""
    detail: str = ""
    status: Status | None = None
    put: Sequence[Put] = ()
    count: int = 0
    execution_id: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An execution as it is recorded.

    `journal_bytes` is the size of its generation's batches, `inbox_seq` the last number given to a
    row of its inbox, `inbox_read` that up to which rows were read, `start_at` the moment that it
    waits for with its start.
    """

    execution_id: str
    workflow_id: str
    workflow_version: str
    digest: str
    status: Status
    created_at: int
    started_at: int | None
    completed_at: int | None
    tags: dict[str, str]
    priority: int
    timeout_ms: int | None
    created_by: str | None
    parent: Parent | None
    run: int
    epoch: int
    next_seq: int
    journal_start: int
    control_seq: int
    active: bool
    journal_bytes: int = 0
    inbox_read: int = 0
    inbox_seq: int = 0
    cancel_requested_at: int | None
    paused_at: int | None
    error: Failure | None
    start_at: int | None = None
    depth: int = 0


class Keyed(msgspec.Struct, frozen=True):
    """What an idempotency key stands for: see `IdempotencyKey`."""

    execution_id: str
    digest: bytes
    expires_at: int


class InboxEntry(msgspec.Struct, frozen=True, array_like=True):
    """A row of an inbox."""

    inbox_seq: int
    event: bytes


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker needs to go on with an execution, of one moment."""

    row: Row
    inputs: bytes
    batches: Sequence[bytes]
    inbox: Sequence[InboxEntry]


class Journal(Executions, Definitions, Protocol):
    """Keeps the record of executions, and registered definitions."""

    def submit(
        self, change: Change, done: Callable[[Outcome], None], *, after_logs: int = 0
    ) -> None:
        """Take a change; `done` is called on the engine's loop, once it is on disk or refused.

        It is not on disk before the log write with ticket `after_logs` is, and `done` is not called
        before that write is over.
        """
        ...

    @property
    def backlog(self) -> int:
        """How many submitted changes are not yet on disk."""
        ...

    def row(self, execution_id: str) -> Row | None:
        """The execution, or None."""
        ...

    def snapshot(self, execution_id: str) -> Snapshot | None:
        """The execution with its inputs, the batches of its generation, and its inbox."""
        ...

    def inputs(self, execution_id: str) -> bytes:
        """The inputs of the current generation; `{}` for an unknown execution."""
        ...

    def batches(self, execution_id: str, first_seq: int, limit: int) -> Sequence[bytes]:
        """Batch bodies from `first_seq` on, in order."""
        ...

    def outcomes(self, execution_id: str) -> Sequence[bytes]:
        """Outcomes of tasks among the unread rows of its inbox, encoded events, in order."""
        ...

    def timers(self, execution_id: str) -> Mapping[str, int]:
        """When its timers are due, by position: relative ones move when a pause ends."""
        ...

    def child(self, parent_id: str, position: str) -> str | None:
        """The awaited child that was started at `position` of `parent_id`."""
        ...

    def pending(self, limit: int) -> Sequence[str]:
        """Pending executions that may start now, in the order of admission.

        That is by priority, the higher first, then by age.
        """
        ...

    def pending_count(self, limit: int) -> int:
        """How many of these there are, counted up to `limit`."""
        ...

    def active(self, after: str | None, limit: int) -> Sequence[str]:
        """Running executions with something to do for a worker, the oldest first."""
        ...

    def due_timers(self, now_ms: int, limit: int) -> Sequence[tuple[str, str]]:
        """Execution and position of timers that are due and not held, the earliest first."""
        ...

    def next_due_ms(self) -> int | None:
        """When the next timer that is not held falls due."""
        ...

    def next_start_ms(self) -> int | None:
        """The earliest moment that a pending execution waits for with its start."""
        ...

    def keyed(self, caller: str, workflow_id: str, key: str) -> Keyed | None:
        """What a caller's idempotency key stands for; it may have expired."""
        ...

    def retirements(self) -> Sequence[Retirement]:
        """Every workflow that was retired."""
        ...

    def newest_id(self) -> str | None:
        """The newest execution's id."""
        ...
