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

__all__ = [
    "AddressError",
    "ApiError",
    "Client",
    "ClientError",
    "ConflictError",
    "ExecutionCancelledError",
    "ExecutionEndedError",
    "ExecutionFailedError",
    "NotFoundError",
    "NotReachableError",
    "RefusedInputError",
    "Seen",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
]
