"""A runtime that does what a test tells it, and the application over it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import msgspec

from perdure.api import create_app
from perdure.model.execution import Execution, Head, LogRecord, Revision, TaskRun
from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.executions import ListPage, ListRequest, Place, Total
from perdure.ports.logs import LogFile, LogPage, LogQuery
from perdure.ports.runtime import (
    DocumentProblem,
    Health,
    Offer,
    RefusedError,
    Registered,
    Served,
    Started,
    StartRequest,
)
from tests.support.declared import DeclaredTransport

NOW_MS = 1_771_864_200_123
NOW = "2026-02-23T16:30:00.123Z"
KEY = "prd_the-key-of-the-tests"
ID = execution_id(NOW_MS << 21)


class StoppedClock:
    """A clock that shows NOW."""

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic(self) -> float:
        return 0.0


def a_head(execution: str = ID, status: Status = Status.RUNNING) -> Head:
    return Head(
        execution_id=execution,
        workflow_id="weather",
        workflow_version="1",
        status=status,
        created_at=NOW_MS - 2000,
        started_at=NOW_MS - 1000,
        completed_at=NOW_MS if status.ended else None,
        tags={"team": "a"},
    )


class FakeDownload:
    """Gives its parts; one that is an exception is raised."""

    def __init__(self, parts: Sequence[bytes | Exception]) -> None:
        self._parts = list(parts)
        self.given = 0
        self.closed = False

    async def part(self) -> bytes | None:
        assert not self.closed
        await asyncio.sleep(0)
        if self.given == len(self._parts):
            return None
        part = self._parts[self.given]
        self.given += 1
        if isinstance(part, Exception):
            raise part
        return part

    def close(self) -> None:
        self.closed = True


class FakeRuntime:
    """Answers from its attributes, notes what it was asked, and refuses with `refusal`."""

    def __init__(self) -> None:
        self.current = Revision(status=Status.RUNNING, run=1, batches=3, last_line=2)
        self.refusal: Exception | None = None
        self.started: list[StartRequest] = []
        self.waited: list[float] = []
        self.asked: list[tuple[object, ...]] = []
        self.ends_in_time = True
        self.status = Status.RUNNING
        self.heads: list[Head] = []
        self.lines: list[LogRecord] = []
        self.parts: list[bytes | Exception] = []
        self.downloads: list[FakeDownload] = []
        self.runs: list[TaskRun] = []
        self.whole = Execution(head=a_head(), inputs=msgspec.Raw(b"{}"), revision=self.current)
        self.event_ids: set[str] = set()
        self.offered: list[Offer] = []
        self.retired: list[str] = []
        self.documents: list[bytes] = []
        self.problems: list[DocumentProblem] = []
        self.created = True
        self.keys: list[str] = []
        self.repeated = False
        self.may_wait = True
        self.since: list[Status | None] = []
        self.state = Health(ready=True, workers=1, running=0, pending=0)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def _head(self) -> Head:
        self._refuse()
        return a_head(status=self.status)

    async def execute(self, request: StartRequest) -> Head:
        self.started.append(request)
        return self._head()

    async def execute_once(self, request: StartRequest, key: str) -> Started:
        self.keys.append(key)
        self.started.append(request)
        return Started(self._head(), self.repeated)

    async def wait_for_change(
        self, execution_id: str, seconds: float, *, since: Status | None = None
    ) -> bool:
        self._refuse()
        self.waited.append(seconds)
        self.since.append(since)
        return self.may_wait

    async def revision(self, execution_id: str, *, with_logs: bool) -> Revision:
        self._refuse()
        self.asked.append((execution_id, with_logs))
        return self.current

    async def wait(self, execution_id: str, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.ends_in_time

    async def execution(self, execution_id: str, *, logs: int) -> Execution:
        self.asked.append((execution_id, logs))
        if isinstance(self.refusal, RefusedError) and self.refusal.code != "already_ended":
            raise self.refusal
        return self.whole

    async def executions(self, request: ListRequest) -> ListPage:
        """A page of `heads`, which are newest first, whatever the filters and the order are."""
        self._refuse()
        self.asked.append((request,))
        last = None if request.after is None else request.after.execution_id
        older = [each for each in self.heads if last is None or each.execution_id < last]
        shown = older[: request.limit]
        more = len(older) > len(shown)
        return ListPage(
            executions=shown,
            next=Place(0, shown[-1].execution_id) if more else None,
            total=Total(len(self.heads), True) if request.total else None,
        )

    async def logs(self, execution_id: str, query: LogQuery) -> LogPage:
        self._refuse()
        self.asked.append((execution_id, query, query.limit))
        lines = self.lines[::-1] if query.descending else self.lines
        seqs = [line.seq for line in lines]
        first = 0 if query.after is None else seqs.index(query.after) + 1
        records = lines[first : first + query.limit]
        more = first + query.limit < len(lines)
        return LogPage(records=records, next_after=records[-1].seq if more else None)

    async def download(self, execution_id: str, file: LogFile, *, gzip: bool) -> "FakeDownload":
        self._refuse()
        self.asked.append((execution_id, file, gzip))
        self.downloads.append(FakeDownload(self.parts))
        return self.downloads[-1]

    async def tasks(self, execution_id: str, offset: int, limit: int) -> Sequence[TaskRun]:
        self._refuse()
        self.asked.append((execution_id, offset, limit))
        return self.runs[offset : offset + limit]

    async def cancel(self, execution_id: str) -> Head:
        return self._head()

    async def pause(self, execution_id: str) -> Head:
        return self._head()

    async def resume(self, execution_id: str) -> Head:
        return self._head()

    async def send_event(
        self, execution_id: str, name: str, data: bytes, event_id: str | None
    ) -> bool:
        self._refuse()
        self.asked.append((execution_id, name, data, event_id))
        if event_id in self.event_ids:
            return False
        if event_id is not None:
            self.event_ids.add(event_id)
        return True

    def offers(self, after: str, limit: int, *, retired: bool) -> Sequence[Offer]:
        self._refuse()
        self.asked.append((after, limit, retired))
        return [each for each in self.offered if each.served.workflow_id > after][:limit]

    def versions(self, workflow_id: str) -> Sequence[Offer]:
        self._refuse()
        return self.offered

    async def source(self, served: Served) -> str | None:
        return served.source

    async def register(self, source: bytes) -> Registered:
        self._refuse()
        self.documents.append(source)
        return Registered(self.offered[0], source.decode(), self.created)

    async def validate(self, source: bytes) -> Sequence[DocumentProblem]:
        self._refuse()
        self.documents.append(source)
        return self.problems

    async def retire(self, workflow_id: str) -> None:
        self._refuse()
        self.retired.append(workflow_id)

    def health(self) -> Health:
        return self.state


@asynccontextmanager
async def connected(
    runtime: FakeRuntime, *, admin_key: str | None = KEY, token: str | None = KEY
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API over `runtime`, which sends `token`; what is answered is declared."""
    app = create_app(runtime, admin_key=admin_key, clock=StoppedClock())
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=DeclaredTransport(app), base_url="http://localhost", headers=headers
    ) as client:
        yield client
