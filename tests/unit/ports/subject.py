"""What the suites of the store's ports work on, and how they make executions and batches."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest

from perdure.model.identifiers import execution_id
from perdure.model.status import Status
from perdure.ports.journal import (
    AppendBatch,
    Cancel,
    Change,
    CreateExecution,
    Journal,
    Outcome,
    PutInbox,
    Row,
)
from perdure.ports.logs import Logs

CREATED = 1_771_864_200_000


class Subject(NamedTuple):
    """An open store. `settle` runs the engine's loop until the condition holds."""

    journal: Journal
    logs: Logs
    settle: Callable[[Callable[[], bool]], None]


class Suite:
    """Base of the suites: an implementation gives the fixture `opened`, a new store each time."""

    @pytest.fixture
    def opened(self) -> Subject:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _use(self, opened: Subject) -> None:
        self.subject = opened
        self.journal = opened.journal
        self._keys = itertools.count(CREATED << 21)

    def act(self, change: Change) -> Outcome:
        """Submit a change and wait for what becomes of it."""
        outcomes: list[Outcome] = []
        self.journal.submit(change, outcomes.append)
        self.subject.settle(lambda: bool(outcomes))
        return outcomes[0]

    def done(self, change: Change) -> Outcome:
        """Submit a change that is not refused."""
        outcome = self.act(change)
        assert outcome.done, outcome
        return outcome

    def new_id(self) -> str:
        return execution_id(next(self._keys))

    def created(self, status: Status = Status.RUNNING, *, priority: int = 0) -> str:
        """A new execution's id."""
        id = self.new_id()
        self.done(creation(id, status, priority=priority))
        return id

    def row(self, id: str) -> Row:
        row = self.journal.row(id)
        assert row is not None
        return row

    def inbox(self, id: str) -> list[tuple[int, bytes]]:
        """The unread rows."""
        snapshot = self.journal.snapshot(id)
        assert snapshot is not None
        return [(entry.inbox_seq, entry.event) for entry in snapshot.inbox]

    def has_event(self, id: str, event: bytes = b'{"e":1}') -> int:
        """Put an event into an inbox; its number."""
        return self.done(PutInbox(execution_id=id, event=event)).put[0].inbox_seq


def creation(
    id: str, status: Status = Status.RUNNING, *, priority: int = 0, inputs: bytes = b"{}"
) -> CreateExecution:
    return CreateExecution(
        execution_id=id,
        workflow_id="weather",
        workflow_version="1",
        digest="d1",
        status=status,
        created_at=CREATED,
        inputs=inputs,
        priority=priority,
    )


def batch(id: str, seq: int, *, inbox_seen: int = 0, epoch: int = 1) -> AppendBatch:
    """An append that begins something and leaves work."""
    return AppendBatch(
        execution_id=id,
        epoch=epoch,
        seq=seq,
        inbox_seen=inbox_seen,
        inbox_known=inbox_seen,
        body=b'{"seq":%d}' % seq,
        guarded=True,
        active=True,
    )


def cancelling(id: str, at: int = CREATED, *, without_program: bool = False) -> Cancel:
    return Cancel(execution_id=id, at=at, event=b'{"c":1}', without_program=without_program)
