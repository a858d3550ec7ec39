"""The typed client of a server, async only; the command line is built on it.

- Every request may be sent twice without harm, so one whose answer is lost, or which the server
  turns away for now, is tried again: as `Retry-After` says, else with growing jittered pauses, and
  within a total time.
- A wait asks the server to answer at the next change, and outlives the server's restart.
- Answers are read within a limit, lists page by page, downloads piece by piece.
- What is decoded are the structs of `perdure.wire`, which the server encodes.
- The token is in one header of each request, and in no text, attribute or error.
"""

from perdure.client.client import Client
from perdure.client.exceptions import (
    AddressError,
    ApiError,
    ClientError,
    ConflictError,
    ExecutionCancelledError,
    ExecutionEndedError,
    ExecutionFailedError,
    NotFoundError,
    NotReachableError,
    RefusedInputError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from perdure.client.following import Seen
from perdure.wire.executions import ExecutionsPage, Head, Whole
from perdure.wire.logs import LogRecord
from perdure.wire.replies import EventReceipt
from perdure.wire.tasks import TaskRun
from perdure.wire.workflows import DocumentProblem, Validity, WholeWorkflow, Workflow

__all__ = [
    "AddressError",
    "ApiError",
    "Client",
    "ClientError",
    "ConflictError",
    "DocumentProblem",
    "EventReceipt",
    "ExecutionCancelledError",
    "ExecutionEndedError",
    "ExecutionFailedError",
    "ExecutionsPage",
    "Head",
    "LogRecord",
    "NotFoundError",
    "NotReachableError",
    "RefusedInputError",
    "Seen",
    "TaskRun",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "Validity",
    "Whole",
    "WholeWorkflow",
    "Workflow",
]
