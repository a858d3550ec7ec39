"""What admission, pauses, cancels and ends from outside promise (docs/journal.md, section 8)."""

import itertools

import msgspec
import pytest

from perdure.model import failure
from perdure.model.status import ENDS, Status, allowed
from perdure.ports.journal import (
    Admit,
    Cancel,
    Change,
    End,
    EndExecution,
    Pause,
    Put,
    PutInbox,
    Resume,
    TimerSet,
)
from tests.unit.ports.subject import CREATED, Suite, batch, cancelling, creation

replace = msgspec.structs.replace


def ending(id: str, status: Status) -> EndExecution:
    return EndExecution(execution_id=id, end=End(status=status, at=CREATED))


RESUMED = [(Status.PAUSED, Status.PENDING), (Status.PAUSED, Status.RUNNING)]
CHANGES = [pair for pair in itertools.product(Status, Status) if pair not in RESUMED]


class ControlSuite(Suite):
    def in_status(self, status: Status) -> str:
        """A new execution in this status."""
        if status in (Status.PENDING, Status.RUNNING):
            return self.created(status)
        id = self.created()
        if status is Status.PAUSED:
            self.done(Pause(execution_id=id, at=CREATED))
        else:
            self.done(ending(id, status))
        return id

    @pytest.mark.parametrize(("before", "after"), CHANGES)
    def test_the_status_changes_along_the_table_only(self, before: Status, after: Status) -> None:
        id = self.in_status(before)
        changes: dict[Status, Change] = {
            Status.PENDING: Resume(execution_id=id, at=CREATED),
            Status.RUNNING: Admit(execution_id=id, at=CREATED),
            Status.PAUSED: Pause(execution_id=id, at=CREATED),
            **{status: ending(id, status) for status in ENDS},
        }
        outcome = self.act(changes[after])
        row = self.row(id)
        retry = before is Status.FAILED and after is Status.RUNNING
        assert outcome.done == (allowed(before, after) and not retry)
        assert row.status is outcome.status is (after if outcome.done else before)
        assert outcome.reason == ("" if outcome.done else "ended" if before.ended else "status")

    @pytest.mark.parametrize("kind", [Admit, Pause, Resume])
    def test_unknown_executions_are_refused(
        self, kind: type[Admit] | type[Pause] | type[Resume]
    ) -> None:
        assert self.act(kind(execution_id=self.new_id(), at=CREATED)).reason == "unknown"
        assert self.act(cancelling(self.new_id())).reason == "unknown"
        assert self.act(ending(self.new_id(), Status.FAILED)).reason == "unknown"

    def test_admission_notes_when_it_started(self) -> None:
        id = self.created(Status.PENDING)
        assert self.done(Admit(execution_id=id, at=CREATED + 7)).status is Status.RUNNING
        assert self.row(id).started_at == CREATED + 7

    def test_a_pause_is_lifted_into_what_was_before(self) -> None:
        pending, running = self.created(Status.PENDING), self.created()
        for id, status in ((pending, Status.PENDING), (running, Status.RUNNING)):
            self.done(Pause(execution_id=id, at=CREATED + 5))
            assert self.row(id).paused_at == CREATED + 5
            assert self.done(Resume(execution_id=id, at=CREATED + 6)).status is status
            row = self.row(id)
            assert (row.status, row.paused_at) == (status, None)

    def test_a_held_execution_says_why_until_it_is_resumed(self) -> None:
        id = self.created()
        why = failure.unserved("nobody serves weather 1")
        self.done(Pause(execution_id=id, at=CREATED, failure=why))
        assert self.row(id).error == why
        self.done(Resume(execution_id=id, at=CREATED))
        assert self.row(id).error is None

    def test_an_inbox_takes_events_during_a_pause(self) -> None:
        id = self.created()
        self.done(replace(batch(id, 0), active=False))
        self.done(Pause(execution_id=id, at=CREATED))
        self.has_event(id)
        assert self.journal.active(None, 10) == []
        self.done(Resume(execution_id=id, at=CREATED))
        assert self.journal.active(None, 10) == [id]

    def test_cancelling_a_running_execution_asks_its_program(self) -> None:
        id = self.created()
        self.has_event(id)
        outcome = self.done(replace(cancelling(id, CREATED + 3), then=[creation(self.new_id())]))
        assert (outcome.status, outcome.put) == (Status.RUNNING, (Put(id, 2, b'{"c":1}'),))
        row = self.row(id)
        assert (row.control_seq, row.cancel_requested_at) == (2, CREATED + 3)
        assert self.journal.newest_id() == id

    def test_a_repeated_cancel_is_one(self) -> None:
        id = self.created()
        self.done(cancelling(id, CREATED + 3))
        outcome = self.done(cancelling(id, CREATED + 4))
        assert (outcome.status, outcome.put) == (Status.RUNNING, ())
        row = self.row(id)
        assert (row.control_seq, row.cancel_requested_at) == (1, CREATED + 3)
        assert len(self.inbox(id)) == 1

    def test_a_cancel_lifts_an_operators_pause_as_resuming_does(self) -> None:
        id = self.created()
        timers = [TimerSet("/t", CREATED + 100, False), TimerSet("/at", CREATED + 50, True)]
        self.done(replace(batch(id, 0), timers_set=timers))
        for paused_at in (CREATED + 10, CREATED + 1_000):
            self.done(Pause(execution_id=id, at=paused_at))
            outcome = self.done(cancelling(id, paused_at + 20))
            assert outcome.status is self.row(id).status is Status.RUNNING
            assert self.row(id).paused_at is None
        assert self.journal.due_timers(CREATED + 139, 10) == [(id, "/at")]
        assert self.journal.due_timers(CREATED + 140, 10) == [(id, "/at"), (id, "/t")]
        assert len(self.inbox(id)) == 1

    def test_what_has_not_started_is_cancelled_at_once(self) -> None:
        pending, paused = self.created(Status.PENDING), self.created(Status.PENDING)
        self.done(Pause(execution_id=paused, at=CREATED))
        for id in (pending, paused):
            outcome = self.done(cancelling(id, CREATED + 3))
            assert (outcome.status, outcome.put) == (Status.CANCELLED, ())
            row = self.row(id)
            assert (row.status, row.completed_at) == (Status.CANCELLED, CREATED + 3)
            assert (row.cancel_requested_at, row.paused_at) == (CREATED + 3, None)

    def test_a_held_execution_is_cancelled_without_its_program(self) -> None:
        parent, id = self.created(), self.created()
        self.done(cancelling(id))
        self.done(Pause(execution_id=id, at=CREATED, failure=failure.unserved("gone")))
        told = PutInbox(execution_id=parent, event=b"child")
        cancel: Cancel = replace(cancelling(id, CREATED + 3, without_program=True), then=[told])
        outcome = self.done(cancel)
        assert (outcome.status, outcome.put) == (Status.CANCELLED, (Put(parent, 1, b"child"),))
        row = self.row(id)
        assert (row.status, row.error, row.active) == (Status.CANCELLED, None, False)
        assert self.inbox(id) == []
        assert self.act(cancel).reason == "ended"
        assert len(self.inbox(parent)) == 1

    def test_a_running_execution_is_never_cancelled_without_its_program(self) -> None:
        id = self.created()
        assert self.done(cancelling(id, without_program=True)).status is Status.RUNNING
        assert len(self.inbox(id)) == 1

    def test_an_end_from_outside_tells_the_parent(self) -> None:
        parent, id = self.created(), self.created()
        self.has_event(id)
        end = End(status=Status.FAILED, at=CREATED + 9, error=failure.crash_loop("3 times"))
        told = PutInbox(execution_id=parent, event=b"child")
        outcome = self.done(EndExecution(execution_id=id, end=end, then=[told]))
        assert (outcome.status, outcome.put) == (Status.FAILED, (Put(parent, 1, b"child"),))
        row = self.row(id)
        assert (row.status, row.completed_at, row.error) == (Status.FAILED, end.at, end.error)
        assert self.inbox(id) == []
