"""How executions start: under idempotency keys, at later moments, of workflows not retired."""

import msgspec

from perdure.model.status import Status
from perdure.ports.journal import (
    Admit,
    CreateExecution,
    ForgetKeys,
    IdempotencyKey,
    Keyed,
    Outcome,
    Pause,
    ReleaseScheduled,
    Resume,
    Retire,
    Retirement,
)
from tests.unit.ports.subject import CREATED, Suite, cancelling, creation

replace = msgspec.structs.replace

DAY = 86_400_000


class StartingSuite(Suite):
    # -- idempotency keys ----------------------------------------------------------------------

    def keyed(
        self,
        key: str = "k",
        *,
        caller: str = "admin",
        workflow_id: str = "weather",
        digest: bytes = b"d",
        at: int = CREATED,
    ) -> CreateExecution:
        """An execution to start under a key that is kept for a day."""
        under = IdempotencyKey(caller=caller, key=key, digest=digest, expires_at=at + DAY)
        plain = creation(self.new_id())
        return replace(plain, created_at=at, workflow_id=workflow_id, idempotency=under)

    def test_a_key_is_recorded_with_its_execution(self) -> None:
        create = self.keyed()
        assert self.done(create).execution_id == ""
        assert self.row(create.execution_id).status is Status.RUNNING
        found = self.journal.keyed("admin", "weather", "k")
        assert found == Keyed(create.execution_id, b"d", CREATED + DAY)

    def test_a_known_key_starts_nothing(self) -> None:
        first = self.keyed()
        self.done(first)
        for digest, reason in ((b"d", "repeated"), (b"other", "mismatch")):
            again = self.keyed(digest=digest, at=CREATED + DAY - 1)
            outcome = self.act(again)
            assert (outcome.done, outcome.reason) == (False, reason)
            assert outcome.execution_id == first.execution_id
            assert self.journal.row(again.execution_id) is None
        found = self.journal.keyed("admin", "weather", "k")
        assert found == Keyed(first.execution_id, b"d", CREATED + DAY)

    def test_of_several_at_once_the_first_counts(self) -> None:
        outcomes: list[Outcome] = []
        creates = [self.keyed(digest=digest) for digest in (b"d", b"d", b"other", b"d")]
        for create in creates:
            self.journal.submit(create, outcomes.append)
        self.subject.settle(lambda: len(outcomes) == len(creates))
        reasons = [outcome.reason for outcome in outcomes]
        assert reasons == ["", "repeated", "mismatch", "repeated"]
        first = creates[0].execution_id
        assert {outcome.execution_id for outcome in outcomes[1:]} == {first}
        assert [each for each in creates if self.journal.row(each.execution_id)] == creates[:1]

    def test_a_key_is_one_callers_and_one_workflows(self) -> None:
        different = [
            self.keyed(),
            self.keyed(caller=""),
            self.keyed(workflow_id="other"),
            self.keyed("K"),
        ]
        for create in different:
            self.done(create)
            assert self.row(create.execution_id).workflow_id == create.workflow_id

    def test_an_expired_key_is_new(self) -> None:
        self.done(self.keyed())
        later = self.keyed(digest=b"other", at=CREATED + DAY)
        self.done(later)
        found = self.journal.keyed("admin", "weather", "k")
        assert found == Keyed(later.execution_id, b"other", CREATED + 2 * DAY)

    def test_a_refused_execution_leaves_no_key(self) -> None:
        taken = self.created()
        assert self.act(replace(self.keyed(), execution_id=taken)).reason == "duplicate"
        assert self.journal.keyed("admin", "weather", "k") is None

    def test_expired_keys_are_deleted_some_at_a_time(self) -> None:
        for number in range(5):
            self.done(self.keyed(str(number), at=CREATED + number))
        forget = ForgetKeys(now_ms=CREATED + DAY + 3, limit=3)
        assert [self.done(forget).count for _ in range(3)] == [3, 1, 0]
        left = [n for n in range(5) if self.journal.keyed("admin", "weather", str(n))]
        assert left == [4]

    # -- moments of starting -------------------------------------------------------------------

    def scheduled(self, start_at: int, *, priority: int = 0) -> str:
        """A new execution that waits for a moment."""
        create = creation(self.new_id(), Status.PENDING, priority=priority)
        self.done(replace(create, start_at=start_at))
        return create.execution_id

    def test_one_that_waits_for_its_moment_is_not_admitted(self) -> None:
        id = self.scheduled(CREATED + 10)
        row = self.row(id)
        assert (row.status, row.start_at, row.started_at) == (Status.PENDING, CREATED + 10, None)
        assert self.journal.pending(10) == []
        assert self.journal.pending_count(10) == 0
        assert self.journal.next_start_ms() == CREATED + 10

    def test_its_moment_makes_it_pending_like_others(self) -> None:
        late = self.scheduled(CREATED + 20)
        low = self.scheduled(CREATED + 10)
        high = self.scheduled(CREATED + 15, priority=5)
        waiting = self.created(Status.PENDING)
        assert self.done(ReleaseScheduled(now_ms=CREATED + 9, limit=10)).count == 0
        assert self.done(ReleaseScheduled(now_ms=CREATED + 15, limit=10)).count == 2
        assert self.journal.pending(10) == [high, low, waiting]
        assert self.row(high).start_at is None
        assert self.journal.next_start_ms() == self.row(late).start_at == CREATED + 20
        assert self.done(Admit(execution_id=high, at=CREATED + 16)).status is Status.RUNNING
        assert self.row(high).started_at == CREATED + 16

    def test_they_are_released_the_earliest_first(self) -> None:
        ids = [self.scheduled(CREATED + moment) for moment in (3, 1, 2)]
        release = ReleaseScheduled(now_ms=CREATED + 3, limit=2)
        assert self.done(release).count == 2
        assert self.journal.pending(10) == [ids[1], ids[2]]
        assert self.done(release).count == 1
        assert self.journal.next_start_ms() is None

    def test_a_paused_one_waits_again_when_it_is_resumed(self) -> None:
        id = self.scheduled(CREATED + 10)
        self.done(Pause(execution_id=id, at=CREATED + 1))
        assert self.journal.next_start_ms() is None
        assert self.done(ReleaseScheduled(now_ms=CREATED + 11, limit=10)).count == 0
        assert self.row(id).start_at == CREATED + 10
        resumed = self.done(Resume(execution_id=id, at=CREATED + 12))
        assert resumed.status is Status.PENDING
        assert self.journal.pending(10) == []
        assert self.done(ReleaseScheduled(now_ms=CREATED + 12, limit=10)).count == 1
        assert self.journal.pending(10) == [id]

    def test_a_cancelled_one_never_starts(self) -> None:
        pending, paused = self.scheduled(CREATED + 10), self.scheduled(CREATED + 10)
        self.done(Pause(execution_id=paused, at=CREATED + 1))
        for id in (pending, paused):
            assert self.done(cancelling(id, CREATED + 3)).status is Status.CANCELLED
        assert self.journal.next_start_ms() is None
        assert self.done(ReleaseScheduled(now_ms=CREATED + 10, limit=10)).count == 0
        assert self.row(pending).status is Status.CANCELLED

    # -- retirements ---------------------------------------------------------------------------

    def test_the_last_retirement_of_a_workflow_counts(self) -> None:
        assert self.journal.retirements() == []
        first, other = Retirement("w", "1", CREATED), Retirement("a", "2026/02", CREATED)
        for each in (first, other):
            self.done(Retire(each))
        assert self.journal.retirements() == [other, first]
        last = Retirement("w", "2", CREATED + 5)
        self.done(Retire(last))
        assert self.journal.retirements() == [other, last]
