"""What an attempt brought about, on its way from where it ran to its execution's machine."""

import msgspec

from perdure.machine import events as e
from perdure.machine.uncaught import failure_of
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.exceptions import DisagreementError, EncodingError
from perdure.model.failure import Failure
from perdure.openworkflow.errors import WorkflowError
from perdure.ports.logs import NewLogRecord
from perdure.worker.programs import Subject
from perdure.worker.records import traceback_of


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt failed. With `disagreement` its execution is to be held instead."""

    failure: Failure
    retryable: bool = True
    traceback: str | None = None
    disagreement: DisagreementError | None = None


STOPPED = Failed(failure=failures.cancelled("it had not begun"))
"""An attempt that was stopped before it began."""


class Ended(msgspec.Struct, kw_only=True, eq=False):
    """An attempt has ended; `event` says how, for its machine.

    `how` says, of one that was asked to stop, whether it did; `lines` are what it logged last.
    `event` is None where the attempt found that its record does not fit the code.
    """

    execution_id: str
    generation: int
    position: str
    attempt: int
    name: str
    event: e.TaskCompleted | e.TaskFailed | e.TaskCancelled | None
    lines: list[NewLogRecord]
    how: str = ""
    traceback: str | None = None
    disagreement: DisagreementError | None = None
    disowned: bool = False
    """Whether nobody waits for it: its execution, or that generation, has ended."""


Unrecorded = tuple[Ended, int | None]
"""What is not known to be recorded, and the number of the batch that was sent with it, if any."""


def failed(subject: Subject, error: BaseException) -> Failed:
    """What becomes of an exception that an attempt did not catch. Never fails itself.

    What led to an error of a document is no code of whoever wrote it.
    """
    if isinstance(error, DisagreementError):
        return Failed(failure=failures.disagreement(error.detail, ""), disagreement=error)
    return Failed(
        failure=failure_of(error),
        retryable=not isinstance(error, EncodingError) and allows_retry(subject, error),
        traceback=None if isinstance(error, WorkflowError) else traceback_of(error),
    )


def allows_retry(subject: Subject, error: BaseException) -> bool:
    """Whether the task's policy allows another attempt; not where the policy itself fails."""
    try:
        return bool(subject.retryable(error))
    except BaseException:  # it asks user code, which may raise anything
        return False


def checked(output: bytes, name: str) -> bytes | Failed:
    """An output, or the failure that it is too large."""
    if len(output) <= VALUE_LIMIT_BYTES:
        return output
    detail = (
        f"the result of task {name} has {len(output):,} bytes, and a value may have "
        f"{VALUE_LIMIT_BYTES:,}: store it elsewhere and pass a reference"
    )
    return Failed(failure=failures.validation(detail), retryable=False)
