"""What creating and appending promise (docs/journal.md, sections 7 and 10)."""

import msgspec
import pytest

from perdure.model import failure
from perdure.model.status import Status
from perdure.ports.journal import (
    CreateExecution,
    End,
    Nothing,
    Parent,
    Pause,
    Prune,
    Put,
    PutInbox,
    TimerSet,
)
from tests.unit.ports.subject import CREATED, Suite, batch, cancelling, creation

replace = msgspec.structs.replace


class AppendingSuite(Suite):
    def test_a_new_execution_is_recorded_whole(self) -> None:
        parent = self.created()
        id = self.new_id()
        outcome = self.act(
            CreateExecution(
                execution_id=id,
                workflow_id="weather",
                workflow_version="2",
                digest="abc",
                status=Status.PENDING,
                created_at=CREATED,
                inputs=b'{"station":1}',
                tags={"team": "sky"},
                priority=3,
                timeout_ms=60_000,
                created_by="ana",
                parent=Parent(parent, "/child"),
            )
        )
        assert (outcome.done, outcome.status) == (True, Status.PENDING)
        row = self.row(id)
        assert row.execution_id == id
        assert (row.workflow_id, row.workflow_version, row.digest) == ("weather", "2", "abc")
        assert (row.status, row.created_at, row.started_at) == (Status.PENDING, CREATED, None)
        assert (row.tags, row.priority, row.timeout_ms) == ({"team": "sky"}, 3, 60_000)
        assert (row.created_by, row.parent) == ("ana", Parent(parent, "/child"))
        assert (row.run, row.epoch, row.next_seq, row.journal_start) == (1, 0, 0, 0)
        assert (row.active, row.journal_bytes, row.error) == (True, 0, None)
        assert self.journal.inputs(id) == b'{"station":1}'

    def test_one_that_begins_at_once_has_started(self) -> None:
        assert self.row(self.created()).started_at == CREATED

    def test_an_id_is_given_once(self) -> None:
        id = self.created()
        outcome = self.act(creation(id, inputs=b'{"other":1}'))
        assert (outcome.done, outcome.reason) == (False, "duplicate")
        assert self.journal.inputs(id) == b"{}"

    def test_batches_follow_each_other(self) -> None:
        id = self.created()
        for seq in range(3):
            outcome = self.done(batch(id, seq, epoch=seq + 1))
            assert outcome.status is Status.RUNNING
        row = self.row(id)
        assert (row.next_seq, row.epoch, row.journal_bytes) == (3, 3, 3 * len(b'{"seq":0}'))
        assert self.journal.batches(id, 1, 10) == [b'{"seq":1}', b'{"seq":2}']
        assert self.journal.batches(id, 0, 1) == [b'{"seq":0}']

    @pytest.mark.parametrize("seq", [0, 2])
    def test_another_sequence_is_stale(self, seq: int) -> None:
        id = self.created()
        self.done(batch(id, 0))
        outcome = self.act(batch(id, seq))
        assert (outcome.done, outcome.reason, outcome.status) == (False, "stale", Status.RUNNING)
        assert self.row(id).next_seq == 1

    def test_a_lower_epoch_is_stale(self) -> None:
        id = self.created()
        self.done(batch(id, 0, epoch=5))
        assert self.act(batch(id, 1, epoch=4)).reason == "stale"
        assert self.row(id).epoch == 5

    @pytest.mark.parametrize("id", ["exec-0000000000000", "nonsense"])
    def test_an_unknown_execution_is_refused(self, id: str) -> None:
        assert self.act(batch(id, 0)).reason == "unknown"

    def test_only_a_running_execution_takes_batches(self) -> None:
        pending, paused = self.created(Status.PENDING), self.created()
        self.done(Pause(execution_id=paused, at=CREATED))
        for id, status in ((pending, Status.PENDING), (paused, Status.PAUSED)):
            outcome = self.act(batch(id, 0))
            assert (outcome.reason, outcome.status) == ("status", status)

    def test_an_unread_cancel_refuses_what_begins_something(self) -> None:
        id = self.created()
        self.has_event(id)
        seen = self.done(cancelling(id)).put[0].inbox_seq
        assert seen == 2
        assert self.act(batch(id, 0, inbox_seen=1)).reason == "control"
        assert self.act(replace(batch(id, 0, inbox_seen=1), guarded=False)).done
        assert self.act(batch(id, 1, inbox_seen=seen)).done

    def test_an_append_takes_what_it_has_seen_out_of_the_inbox(self) -> None:
        id = self.created()
        self.has_event(id, b"1")
        self.has_event(id, b"2")
        self.done(batch(id, 0, inbox_seen=1))
        assert self.inbox(id) == [(2, b"2")]
        assert self.has_event(id, b"3") == 3

    def test_a_refused_append_changes_nothing(self) -> None:
        id = self.created()
        self.has_event(id)
        before = self.journal.snapshot(id)
        change = replace(
            batch(id, 7, inbox_seen=1),
            timers_set=[TimerSet("/t", 1, False)],
            end=End(status=Status.COMPLETED, at=CREATED),
            then=[creation(self.new_id())],
        )
        assert self.act(change).reason == "stale"
        assert self.journal.snapshot(id) == before
        assert self.journal.next_due_ms() is None
        assert self.journal.newest_id() == id

    def test_work_left_and_unread_rows_keep_an_execution_active(self) -> None:
        id = self.created()
        self.done(batch(id, 0))
        assert self.row(id).active
        self.done(replace(batch(id, 1), active=False))
        assert not self.row(id).active
        self.has_event(id)
        assert self.row(id).active
        self.has_event(id)
        self.done(replace(batch(id, 2, inbox_seen=1), active=False))
        assert self.row(id).active
        self.done(replace(batch(id, 3, inbox_seen=2), active=False))
        assert not self.row(id).active

    def test_an_end_leaves_nothing_open(self) -> None:
        id = self.created()
        self.done(replace(batch(id, 0), timers_set=[TimerSet("/t", 1, False)]))
        self.done(PutInbox(execution_id=id, event=b"1", event_id="a"))
        error = failure.runtime("no")
        end = End(status=Status.FAILED, at=CREATED + 5, error=error)
        outcome = self.done(replace(batch(id, 1), end=end))
        assert outcome.status is Status.FAILED
        row = self.row(id)
        assert (row.status, row.completed_at, row.error) == (Status.FAILED, CREATED + 5, error)
        assert not row.active
        assert self.inbox(id) == []
        assert self.journal.due_timers(CREATED * 2, 10) == []
        assert self.journal.batches(id, 0, 9) == [b'{"seq":0}', b'{"seq":1}']
        assert self.act(batch(id, 2)).reason == "ended"

    def test_what_follows_an_append_is_told_with_it(self) -> None:
        parent, child = self.created(), self.new_id()
        self.done(replace(batch(parent, 0), then=[creation(child)]))
        put = PutInbox(execution_id=parent, event=b"child")
        end = End(status=Status.COMPLETED, at=CREATED)
        outcome = self.done(replace(batch(child, 0), end=end, then=[put]))
        assert outcome.put == (Put(parent, 1, b"child"),)
        assert self.inbox(parent) == [(1, b"child")]

    def test_a_refusal_of_what_follows_does_not_fail_the_append(self) -> None:
        parent, child = self.created(), self.created()
        end = End(status=Status.COMPLETED, at=CREATED)
        self.done(replace(batch(parent, 0), end=end))
        put = PutInbox(execution_id=parent, event=b"child")
        outcome = self.done(replace(batch(child, 0), end=end, then=[put]))
        assert (outcome.status, outcome.put) == (Status.COMPLETED, ())

    def test_continuing_as_new_begins_a_generation(self) -> None:
        id = self.created()
        self.done(replace(batch(id, 0), timers_set=[TimerSet("/t", 1, False)]))
        self.has_event(id)
        self.done(
            replace(batch(id, 1), new_inputs=b'{"n":2}', timers_set=[TimerSet("/u", 9, True)])
        )
        row = self.row(id)
        assert (row.journal_start, row.next_seq, row.journal_bytes) == (2, 2, 0)
        assert self.journal.inputs(id) == b'{"n":2}'
        assert self.journal.due_timers(10, 10) == [(id, "/u")]
        self.done(batch(id, 2))
        snapshot = self.journal.snapshot(id)
        assert snapshot is not None
        assert (snapshot.inputs, snapshot.batches) == (b'{"n":2}', [b'{"seq":2}'])
        assert len(snapshot.inbox) == 1

    def test_answers_to_the_generation_before_are_dropped(self) -> None:
        id = self.created()
        events = [
            b'{"kind":"TimerFired","time":1,"position":"/sleep"}',
            b'{"kind":"EventReceived","time":1,"name":"go","data":1}',
            b'{"kind":"ChildCompleted","time":1,"position":"/c","execution_id":"e","result":1}',
        ]
        for event in events:
            self.done(PutInbox(execution_id=id, event=event))
        self.done(replace(batch(id, 0), new_inputs=b"{}"))
        snapshot = self.journal.snapshot(id)
        assert snapshot is not None
        assert [entry.event for entry in snapshot.inbox] == events[1:2]

    def test_earlier_generations_are_pruned_in_steps(self) -> None:
        ids = [self.created(), self.created()]
        for id in ids:
            self.done(batch(id, 0))
            self.done(replace(batch(id, 1), new_inputs=b"{}"))
            self.done(batch(id, 2))
        assert [self.done(Prune(limit=3)).count for _ in range(3)] == [3, 1, 0]
        for id in ids:
            assert self.journal.batches(id, 0, 9) == [b'{"seq":2}']

    def test_nothing_is_done_after_everything_before(self) -> None:
        told: list[int] = []
        id = self.new_id()
        self.journal.submit(creation(id), lambda outcome: told.append(1))
        self.journal.submit(Nothing(), lambda outcome: told.append(2))
        assert self.journal.backlog == 2
        self.subject.settle(lambda: len(told) == 2)
        assert told == [1, 2]
        assert self.journal.backlog == 0
        assert self.journal.newest_id() == id
