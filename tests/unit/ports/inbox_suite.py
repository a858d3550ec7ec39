"""What the inbox and the timers promise (docs/journal.md, section 6)."""

import msgspec

from perdure.machine.batch import decode_event
from perdure.machine.events import TimerFired
from perdure.model.status import Status
from perdure.ports.journal import (
    INBOX_LIMIT,
    End,
    EndExecution,
    FireTimers,
    Outcome,
    Pause,
    Put,
    PutInbox,
    ReadInbox,
    Resume,
    TimerSet,
)
from tests.unit.ports.subject import CREATED, Suite, batch

replace = msgspec.structs.replace


class InboxSuite(Suite):
    def test_rows_are_numbered_without_gaps_for_each_execution(self) -> None:
        one, other = self.created(), self.created()
        outcome = self.done(PutInbox(execution_id=one, event=b"1"))
        assert (outcome.put, outcome.status) == ((Put(one, 1, b"1"),), Status.RUNNING)
        assert [self.has_event(one), self.has_event(other), self.has_event(one)] == [2, 1, 3]

    def test_unknown_and_ended_executions_refuse(self) -> None:
        id = self.created()
        self.done(EndExecution(execution_id=id, end=End(status=Status.FAILED, at=CREATED)))
        for event_id in (None, "a"):
            outcome = self.act(PutInbox(execution_id=id, event=b"1", event_id=event_id))
            assert (outcome.reason, outcome.status) == ("ended", Status.FAILED)
        assert self.act(PutInbox(execution_id=self.new_id(), event=b"1")).reason == "unknown"

    def test_an_event_with_an_id_is_received_once(self) -> None:
        id, other = self.created(), self.created()
        put = PutInbox(execution_id=id, event=b"1", event_id="a")
        self.done(put)
        self.done(batch(id, 0, inbox_seen=1))
        outcome = self.act(put)
        assert (outcome.done, outcome.reason) == (False, "duplicate")
        assert self.inbox(id) == []
        self.done(replace(put, event_id="b"))
        self.done(replace(put, execution_id=other))

    def test_answers_of_another_generation_are_refused(self) -> None:
        id = self.created()
        answer = PutInbox(execution_id=id, event=b"1", generation=0)
        self.done(answer)
        self.done(batch(id, 0))
        self.done(replace(answer, event=b"2"))
        self.done(replace(batch(id, 1, inbox_seen=2), new_inputs=b"{}"))
        for limited in (False, True):
            for event_id in (None, "a"):
                late = replace(answer, limited=limited, event_id=event_id)
                outcome = self.act(late)
                assert (outcome.done, outcome.reason) == (False, "stale")
                assert outcome.status is Status.RUNNING
        assert self.inbox(id) == []
        self.done(replace(answer, event=b"3", generation=2, event_id="a"))
        assert self.inbox(id) == [(3, b"3")]
        self.done(EndExecution(execution_id=id, end=End(status=Status.FAILED, at=CREATED)))
        assert self.act(answer).reason == "ended"

    def test_a_full_inbox_refuses_events_from_outside(self) -> None:
        id = self.created()
        told: list[Outcome] = []
        limited = PutInbox(execution_id=id, event=b"1", limited=True)
        for _ in range(INBOX_LIMIT):
            self.journal.submit(limited, told.append)
        self.subject.settle(lambda: len(told) == INBOX_LIMIT)
        assert all(outcome.done for outcome in told)
        assert self.act(limited).reason == "full"
        assert self.act(replace(limited, event_id="a")).reason == "full"
        assert self.has_event(id) == INBOX_LIMIT + 1
        self.done(batch(id, 0, inbox_seen=2))
        assert self.act(replace(limited, event_id="a")).done

    def test_rows_that_made_no_batch_are_deleted_when_read(self) -> None:
        id = self.created()
        self.has_event(id, b"1")
        self.has_event(id, b"2")
        self.done(ReadInbox(execution_id=id, epoch=3, inbox_seen=1))
        assert self.inbox(id) == [(2, b"2")]
        assert self.row(id).active
        assert self.act(ReadInbox(execution_id=id, epoch=2, inbox_seen=2)).reason == "stale"
        self.done(ReadInbox(execution_id=id, epoch=3, inbox_seen=2, working=True))
        assert self.row(id).active
        self.done(ReadInbox(execution_id=id, epoch=3, inbox_seen=2))
        assert not self.row(id).active
        assert self.has_event(id) == 3

    def test_due_timers_enter_the_inbox_once(self) -> None:
        id = self.created()
        timers = [TimerSet("/a", 100, False), TimerSet("/b", 200, False)]
        self.done(replace(batch(id, 0), timers_set=timers, active=False))
        assert self.journal.next_due_ms() == 100
        assert self.journal.due_timers(200, 1) == [(id, "/a")]
        due = [(id, "/a"), (id, "/b"), (id, "/c"), (self.new_id(), "/a")]
        outcome = self.done(FireTimers(now_ms=150, timers=due))
        assert [(put.execution_id, put.inbox_seq) for put in outcome.put] == [(id, 1)]
        assert decode_event(outcome.put[0].event) == TimerFired(time=150, position="/a")
        assert self.inbox(id) == [(1, outcome.put[0].event)]
        assert self.row(id).active
        assert self.done(FireTimers(now_ms=150, timers=due)).put == ()
        assert self.journal.next_due_ms() == 200

    def test_timers_are_withdrawn_and_set_anew(self) -> None:
        id = self.created()
        timers = [TimerSet("/a", 100, False), TimerSet("/b", 200, False)]
        self.done(replace(batch(id, 0), timers_set=timers))
        change = replace(
            batch(id, 1), timers_cleared=["/a"], timers_set=[TimerSet("/b", 300, False)]
        )
        self.done(change)
        assert self.journal.due_timers(1_000, 10) == [(id, "/b")]
        assert self.journal.next_due_ms() == 300

    def test_a_pause_holds_timers_and_moves_the_relative_ones(self) -> None:
        id, other = self.created(), self.created()
        timers = [TimerSet("/relative", CREATED + 100, False), TimerSet("/at", CREATED + 50, True)]
        self.done(replace(batch(id, 0), timers_set=timers))
        self.done(replace(batch(other, 0), timers_set=[TimerSet("/t", CREATED + 99, False)]))
        self.done(Pause(execution_id=id, at=CREATED + 10))
        assert self.journal.due_timers(CREATED * 2, 10) == [(other, "/t")]
        fire = FireTimers(now_ms=CREATED + 500, timers=[(id, "/at")])
        assert self.done(fire).put == ()
        self.done(Resume(execution_id=id, at=CREATED + 1_010))
        assert self.journal.due_timers(CREATED + 1_099, 10) == [(id, "/at"), (other, "/t")]
        assert self.journal.due_timers(CREATED + 1_100, 10)[2:] == [(id, "/relative")]

    def test_a_clock_that_went_back_moves_no_timer(self) -> None:
        id = self.created()
        timers = [TimerSet("/t", CREATED + 100, False)]
        self.done(replace(batch(id, 0), timers_set=timers))
        self.done(Pause(execution_id=id, at=CREATED + 50))
        self.done(Resume(execution_id=id, at=CREATED))
        assert self.journal.next_due_ms() == CREATED + 100
