"""What is found in a journal, and in which order."""

import threading

import msgspec

from perdure.model.status import Status
from perdure.ports.journal import Admit, Parent, Pause, Resume, TimerSet
from tests.unit.ports.subject import CREATED, Suite, batch, creation

replace = msgspec.structs.replace


class JournalReadsSuite(Suite):
    def test_an_empty_journal_has_nothing(self) -> None:
        id = self.new_id()
        for unknown in (id, "nonsense"):
            assert self.journal.row(unknown) is None
            assert self.journal.snapshot(unknown) is None
            assert self.journal.inputs(unknown) == b"{}"
            assert self.journal.batches(unknown, 0, 9) == []
            assert self.journal.outcomes(unknown) == []
            assert self.journal.timers(unknown) == {}
            assert self.journal.child(unknown, "/child") is None
        assert self.journal.pending(10) == []
        assert self.journal.pending_count(10) == 0
        assert self.journal.active(None, 10) == []
        assert self.journal.due_timers(CREATED, 10) == []
        assert self.journal.next_due_ms() is None
        assert self.journal.newest_id() is None

    def test_the_newest_one_is_known(self) -> None:
        ids = [self.created() for _ in range(3)]
        assert self.journal.newest_id() == ids[-1]

    def test_pending_ones_come_in_the_order_of_admission(self) -> None:
        ids = [self.created(Status.PENDING, priority=priority) for priority in (0, 5, 0, 5, -1)]
        self.created(Status.RUNNING, priority=9)
        order = [ids[1], ids[3], ids[0], ids[2], ids[4]]
        assert self.journal.pending(10) == order
        assert self.journal.pending(2) == order[:2]
        assert (self.journal.pending_count(10), self.journal.pending_count(3)) == (5, 3)
        self.done(Admit(execution_id=ids[1], at=CREATED))
        assert self.journal.pending(1) == [ids[3]]

    def test_active_ones_come_oldest_first_and_in_pages(self) -> None:
        ids = [self.created() for _ in range(4)]
        idle, paused = self.created(), self.created()
        self.created(Status.PENDING)
        self.done(replace(batch(idle, 0), active=False))
        self.done(Pause(execution_id=paused, at=CREATED))
        assert self.journal.active(None, 10) == ids
        assert self.journal.active(ids[1], 1) == [ids[2]]
        assert self.journal.active(ids[3], 10) == []

    def test_outcomes_that_wait_come_in_order(self) -> None:
        id = self.created()
        kinds = ("TaskFailed", "EventReceived", "TaskCompleted", "TimerFired", "TaskCancelled")
        for kind in kinds:
            self.has_event(id, b'{"kind":"%s"}' % kind.encode())
        self.has_event(self.created(), b'{"kind":"TaskFailed"}')
        expected = [b'{"kind":"%s"}' % kind.encode() for kind in kinds[::2]]
        assert self.journal.outcomes(id) == expected
        self.done(batch(id, 0, inbox_seen=1))
        assert self.journal.outcomes(id) == expected[1:]

    def test_due_timers_come_earliest_first(self) -> None:
        one, other = self.created(), self.created()
        timers = [TimerSet("/late", 300, False), TimerSet("/early", 100, False)]
        self.done(replace(batch(one, 0), timers_set=timers))
        self.done(replace(batch(other, 0), timers_set=[TimerSet("/t", 200, True)]))
        assert self.journal.due_timers(99, 10) == []
        due = [(one, "/early"), (other, "/t"), (one, "/late")]
        assert self.journal.due_timers(300, 10) == due
        assert self.journal.due_timers(300, 2) == due[:2]
        assert self.journal.next_due_ms() == 100

    def test_the_timers_of_an_execution_move_with_a_pause(self) -> None:
        one, other = self.created(), self.created()
        timers = [TimerSet("/late", 300, False), TimerSet("/at", 100, True)]
        self.done(replace(batch(one, 0), timers_set=timers))
        self.done(replace(batch(other, 0), timers_set=[TimerSet("/late", 200, False)]))
        assert self.journal.timers(one) == {"/late": 300, "/at": 100}
        self.done(Pause(execution_id=one, at=CREATED))
        self.done(Resume(execution_id=one, at=CREATED + 50))
        assert self.journal.timers(one) == {"/late": 350, "/at": 100}
        assert self.journal.timers(other) == {"/late": 200}

    def test_a_child_is_found_by_its_parents_position(self) -> None:
        parent = self.created()
        ids = [self.new_id() for _ in range(3)]
        for id, position in zip(ids, ("/a", "/b", "/b"), strict=True):
            self.done(replace(creation(id), parent=Parent(parent, position)))
        assert self.journal.child(parent, "/a") == ids[0]
        assert self.journal.child(parent, "/b") == ids[2]
        assert self.journal.child(parent, "/c") is None

    def test_a_snapshot_is_all_of_one_execution(self) -> None:
        id, other = self.created(), self.created()
        self.done(batch(id, 0))
        self.done(batch(other, 0))
        self.has_event(id, b"1")
        self.has_event(other, b"2")
        snapshot = self.journal.snapshot(id)
        assert snapshot is not None
        assert snapshot.row == self.row(id)
        assert (snapshot.inputs, snapshot.batches) == (b"{}", [b'{"seq":0}'])
        assert [(entry.inbox_seq, entry.event) for entry in snapshot.inbox] == [(1, b"1")]

    def test_any_thread_may_read(self) -> None:
        id = self.created()
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda: found.append(self.journal.row(id))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [self.row(id)] * 3
