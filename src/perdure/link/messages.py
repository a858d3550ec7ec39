"""What engine and worker say to each other. `ToWorker` and `ToEngine` are the two directions.

An execution is named by its id and the epoch under which the worker owns it; what comes under an
epoch that is over is answered with `Refused`, or dropped.
"""

from collections.abc import Sequence

import msgspec

from perdure.model.failure import Failure
from perdure.ports.journal import InboxEntry, TimerSet
from perdure.ports.logs import NewLogRecord
from perdure.ports.runtime import DocumentProblem, Served


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all messages."""


class RunningAttempt(msgspec.Struct, frozen=True, array_like=True):
    """An attempt that runs in a worker."""

    position: str
    attempt: int


# -- engine to worker ------------------------------------------------------------------------


class Configure(Message, frozen=True):
    """The first message: the worker's number and its limits."""

    worker: int
    cancel_grace_ms: int
    cleanup_ms: int


class Load(Message, frozen=True):
    """Own this execution from now on.

    `batches` are the recorded ones of the generation; none means: start it. `elsewhere` are
    attempts that still run in other workers, `timed_out` such as were killed for their timeout.
    `logged` are lines of a step whose batch was lost, not to be logged again. `inbox_seen` is how
    far the inbox was read before; needed where `inbox` is empty, since appends name it. `defined`
    is the digest of the registered definition that it runs, which the worker was sent (`Define`);
    empty for what the worker itself has loaded.
    """

    execution_id: str
    epoch: int
    workflow_id: str
    workflow_version: str
    run: int
    timeout_ms: int | None
    next_seq: int
    inputs: bytes
    batches: Sequence[bytes] = ()
    inbox: Sequence[InboxEntry] = ()
    elsewhere: Sequence[RunningAttempt] = ()
    timed_out: Sequence[RunningAttempt] = ()
    logged: Sequence[str] = ()
    inbox_seen: int = 0
    defined: str = ""


class Define(Message, frozen=True):
    """A registered definition, for every `Load` after it that names its digest."""

    digest: str
    body: bytes


class Forget(Message, frozen=True):
    """No `Load` names this digest any more, unless it is defined again."""

    digest: str


class Validate(Message, frozen=True):
    """Answer with `Validated`: what is wrong with this document, or how it is announced."""

    number: int
    source: bytes


class Deliver(Message, frozen=True):
    """New rows of the inbox."""

    execution_id: str
    epoch: int
    inbox: Sequence[InboxEntry]


class Committed(Message, frozen=True):
    """The append with this `seq` is on disk: its effects may begin."""

    execution_id: str
    epoch: int
    seq: int


class Refused(Message, frozen=True):
    """An append was refused: discard the machine, hand back outcomes (`Outcomes`), and forget."""

    execution_id: str
    epoch: int


class Halt(Message, frozen=True):
    """Discard the machine as after `Refused` (it is paused, or moves)."""

    execution_id: str
    epoch: int


class AttemptsLost(Message, frozen=True):
    """Attempts that ran elsewhere are gone with their worker: begin them again.

    But for those that are `timed_out` too: they were killed for their timeout.
    """

    execution_id: str
    epoch: int
    attempts: Sequence[RunningAttempt]
    timed_out: Sequence[RunningAttempt] = ()


class StopAttempts(Message, frozen=True):
    """Stop these attempts of an execution that has no machine here."""

    execution_id: str
    positions: Sequence[str]


class Ping(Message, frozen=True):
    """Answer with `Pong`."""

    number: int


class Drain(Message, frozen=True):
    """Release every machine; keep running attempts, and take no more."""


class Stop(Message, frozen=True):
    """Stop within `within_ms`: let attempts end until then, then exit."""

    within_ms: int


ToWorker = (
    Configure
    | Load
    | Define
    | Forget
    | Validate
    | Deliver
    | Committed
    | Refused
    | Halt
    | AttemptsLost
    | StopAttempts
    | Ping
    | Drain
    | Stop
)

# -- worker to engine ------------------------------------------------------------------------


class ImportProblem(msgspec.Struct, frozen=True, array_like=True):
    """A module or document that could not be loaded."""

    path: str
    detail: str

    def __str__(self) -> str:
        """The detail, with the path before it unless that has it already, with line and column."""
        named = self.detail.startswith(f"{self.path}:")
        return self.detail if named else f"{self.path}: {self.detail}"


class Serving(Message, frozen=True):
    """What this worker serves."""

    workflows: Sequence[Served]
    problems: Sequence[ImportProblem]


class NewChild(msgspec.Struct, frozen=True, array_like=True):
    """A child to start."""

    position: str
    workflow_id: str
    version: str | None
    inputs: bytes
    wait: bool


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """How the program ended: `result` is JSON, for completed; `failure`, for failed."""

    status: str
    result: bytes | None = None
    failure: Failure | None = None


class Append(Message, frozen=True):
    """Append a batch (see `AppendBatch` of the journal). `logs` are on disk before it.

    `working` says whether the execution has work in a worker after it: it holds a running slot.
    `stop_elsewhere` are positions of cancelled tasks whose attempts run in other workers.
    """

    execution_id: str
    epoch: int
    seq: int
    inbox_seen: int
    inbox_known: int
    body: bytes
    guarded: bool
    working: bool
    timers_set: Sequence[TimerSet] = ()
    timers_cleared: Sequence[str] = ()
    children: Sequence[NewChild] = ()
    children_cancelled: Sequence[str] = ()
    new_inputs: bytes | None = None
    end: Ended | None = None
    logs: Sequence[NewLogRecord] = ()
    stop_elsewhere: Sequence[str] = ()


class Unrecorded(msgspec.Struct, frozen=True, array_like=True):
    """An outcome that is not known to be recorded: an encoded event, and its lines of the log.

    `seq` is the number of the batch with which it was sent to be appended, if it was.
    """

    event: bytes
    logs: Sequence[NewLogRecord] = ()
    seq: int | None = None


class Outcomes(Message, frozen=True):
    """Outcomes of attempts whose execution has no machine here, for the inbox if not recorded.

    `generation` is the number of the first batch of the generation that asked for them, `epoch`
    that under which those were sent that have a `seq`.
    """

    execution_id: str
    epoch: int
    generation: int
    outcomes: Sequence[Unrecorded]


class LogLines(Message, frozen=True):
    """Lines of attempts that run."""

    records: Sequence[NewLogRecord]


class Held(Message, frozen=True):
    """The execution cannot go on here: hold it. `running` attempts stay, as after `Released`."""

    execution_id: str
    epoch: int
    failure: Failure
    running: Sequence[RunningAttempt] = ()


class Released(Message, frozen=True):
    """The machine is discarded; `running` attempts stay here. `inbox_seen` rows were read.

    `again` asks for the execution to be loaded again at once, here or elsewhere.
    """

    execution_id: str
    epoch: int
    inbox_seen: int
    running: Sequence[RunningAttempt] = ()
    again: bool = False


class Pong(Message, frozen=True):
    """Answers `Ping`."""

    number: int


class Draining(Message, frozen=True):
    """The worker has an attempt that does not stop, and wants to be replaced."""

    detail: str


class Idle(Message, frozen=True):
    """A draining worker has no attempt left but abandoned ones."""


class Validated(Message, frozen=True):
    """Answers `Validate`, once.

    A document with no `problems` is announced as `served`, without its source, and has a `body`.
    `failed` says why it is not known, where it is not.
    """

    number: int
    problems: Sequence[DocumentProblem] = ()
    served: Served | None = None
    body: bytes | None = None
    failed: str = ""


ToEngine = (
    Serving | Append | Outcomes | LogLines | Held | Released | Pong | Draining | Idle | Validated
)
