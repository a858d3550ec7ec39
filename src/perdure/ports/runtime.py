"""What the API drives: an engine that runs executions.

Every refusal is a `RefusedError` with a code; the API knows how each code is answered.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from perdure.model.exceptions import PerdureError
from perdure.model.execution import Execution, Head, Revision, TaskRun
from perdure.model.status import Status
from perdure.ports.executions import ListPage, ListRequest
from perdure.ports.logs import LogFile, LogPage, LogQuery

DOCUMENT_LIMIT_BYTES = 1024 * 1024
"""The longest text of a document."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where (a JSON pointer into what was sent)."""

    location: str
    message: str


class DocumentProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a document: at a JSON pointer, a line and a column from 1."""

    location: str
    line: int
    column: int
    message: str


class RefusedError(PerdureError):
    """A request that the engine does not carry out; nothing changed.

    Codes: unknown_workflow, unknown_version, workflow_retired, unknown_execution, invalid_inputs,
    unsupported_task, idempotency_mismatch, already_ended, not_paused, already_paused, conflict,
    inbox_full, invalid_document, version_conflict, registry_full, not_ready, overloaded,
    storage_failed, shutting_down.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        problems: Sequence[Problem] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.problems = problems
        self.retry_after_s = retry_after_s


class StartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An execution to start. `inputs` is a JSON object.

    It does not start before `start_at`; a moment that is over is as good as none.
    """

    workflow_id: str
    inputs: bytes
    version: str | None = None
    tags: dict[str, str] = {}
    priority: int = 0
    timeout_ms: int | None = None
    created_by: str | None = None
    start_at: int | None = None


class Started(msgspec.Struct, frozen=True):
    """An execution that was started under an idempotency key: now, or (`repeated`) before."""

    head: Head
    repeated: bool


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow version that can be executed. `input_schema` is JSON Schema (2020-12), as JSON.

    `source` is the text of its definition; None where that is not known, or too long to be shown.
    `unsupported` are its tasks that cannot be executed yet, as ``call grpc at /do/0/greet``: where
    there are any, none of it is.
    """

    workflow_id: str
    version: str
    digest: str
    kind: str = "python"
    title: str = ""
    tags: dict[str, str] = {}
    timeout_ms: int | None = None
    input_schema: bytes = b"{}"
    source: str | None = None
    unsupported: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True):
    """A workflow version that is served, and since when it is retired, if it is.

    Of a retired one callers start no executions; those that it has go on.
    """

    served: Served
    retired_at: int | None = None


class Registered(msgspec.Struct, frozen=True):
    """A document that is registered: now (`created`), or the same before. `source` is its text."""

    offer: Offer
    source: str
    created: bool


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine is.

    `ready` is whether it takes starts; `problems` are what could not be loaded, and why.
    """

    ready: bool
    workers: int
    running: int
    pending: int
    problems: Sequence[str] = ()


class Download(Protocol):
    """An open download, one of few that are given at once. Whoever opened it closes it."""

    async def part(self) -> bytes | None:
        """The next part of the file, which may be empty; None after the last."""
        ...

    def close(self) -> None:
        """Make room for another download."""
        ...


class Runtime(Protocol):
    """Runs executions. All times are milliseconds since 1970."""

    async def execute(self, request: StartRequest) -> Head:
        """Start an execution; returns once the start is on disk."""
        ...

    async def execute_once(self, request: StartRequest, key: str) -> Started:
        """Start an execution unless its caller has started it under this key before.

        Whatever happens meanwhile, all who ask in the same way get the same execution, until the
        key expires. Refused with idempotency_mismatch where they ask in another way.
        """
        ...

    async def wait(self, execution_id: str, seconds: float) -> bool:
        """Wait until the execution has ended: whether it did within the time."""
        ...

    async def wait_for_change(
        self, execution_id: str, seconds: float, *, since: Status | None = None
    ) -> bool:
        """Wait until the status changes, or for so long.

        It is not waited after an end, nor where the status is not `since` any more. False where
        too many wait already: then it returned at once.
        """
        ...

    async def revision(self, execution_id: str, *, with_logs: bool) -> Revision:
        """Where the execution stands: that of `execution` at this moment, without reading it."""
        ...

    async def execution(self, execution_id: str, *, logs: int) -> Execution:
        """The whole execution, with its newest `logs` lines."""
        ...

    async def executions(self, request: ListRequest) -> ListPage:
        """A page of the list of executions."""
        ...

    async def logs(self, execution_id: str, query: LogQuery) -> LogPage:
        """A page of log lines."""
        ...

    async def download(self, execution_id: str, file: LogFile, *, gzip: bool) -> Download:
        """The log as a file, compressed if `gzip`; it ends with the last line there is now."""
        ...

    async def tasks(self, execution_id: str, offset: int, limit: int) -> Sequence[TaskRun]:
        """Task runs in start order, from the `offset`-th on."""
        ...

    async def cancel(self, execution_id: str) -> Head:
        """Ask for an execution to be cancelled; waits a moment for it to stop."""
        ...

    async def pause(self, execution_id: str) -> Head:
        """Pause an execution."""
        ...

    async def resume(self, execution_id: str) -> Head:
        """Resume a paused execution."""
        ...

    async def send_event(
        self, execution_id: str, name: str, data: bytes, event_id: str | None
    ) -> bool:
        """Hand an event to an execution, on disk on return; False if its id came before."""
        ...

    def offers(self, after: str, limit: int, *, retired: bool) -> Sequence[Offer]:
        """The highest version of each workflow by id, from the first id beyond `after` on.

        Retired ones only with `retired`.
        """
        ...

    def versions(self, workflow_id: str) -> Sequence[Offer]:
        """Every served version of a workflow, the highest first."""
        ...

    async def source(self, served: Served) -> str | None:
        """The text of a definition, as it was written; None where that is not known."""
        ...

    async def register(self, source: bytes) -> Registered:
        """Keep a document, on disk on return; its workflow can be executed from then on.

        Refused with invalid_document, every problem located, and with version_conflict where the
        workflow has its version with other content.
        """
        ...

    async def validate(self, source: bytes) -> Sequence[DocumentProblem]:
        """Every problem of a document, in its order; nothing is kept."""
        ...

    async def retire(self, workflow_id: str) -> None:
        """Let callers start no version of a workflow that is served now, nor a lower one."""
        ...

    def health(self) -> Health:
        """How the engine is."""
        ...
