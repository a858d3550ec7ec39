"""Starts executions: at once, queued or for a later moment, and once where there is a key for it.

Invariants:
- Nobody is told of a start that is not on disk.
- Without an idempotency key an execution may begin while its creation is being written. With one
  it does not: only the store knows whether the key is new, also of several requests at once and
  after a crash.
- A request that is refused leaves nothing behind, and so no key.
"""

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from perdure.engine.admission import Admission
from perdure.engine.catalog import check
from perdure.engine.ownership import Ownership
from perdure.engine.refusals import storage_failed, unknown_execution
from perdure.engine.scheduled import Scheduled
from perdure.engine.state import State
from perdure.engine.views import head_of
from perdure.engine.workers import Workers
from perdure.model.execution import Head
from perdure.model.identifiers import created_ms
from perdure.model.status import Status
from perdure.ports.journal import CreateExecution, IdempotencyKey
from perdure.ports.runtime import RefusedError, Started, StartRequest
from perdure.wire.times import moment

_DIGEST_BYTES = 16


class Starting:
    """Takes what callers want to have executed."""

    def __init__(
        self,
        state: State,
        ownership: Ownership,
        admission: Admission,
        scheduled: Scheduled,
        workers: Workers,
        new_id: Callable[[], str],
    ) -> None:
        self._state = state
        self._ownership = ownership
        self._admission = admission
        self._scheduled = scheduled
        self._workers = workers
        self._new_id = new_id

    async def execute(self, request: StartRequest) -> Head:
        """Start an execution; returns once the start is on disk."""
        state, admission = self._state, self._admission
        create = self._creation(request, None)
        owned = admission.begin(create) if create.status is Status.RUNNING else None
        outcome = await (state.submit(create) if owned is None else state.create(create))
        if not outcome.done:
            if owned is not None:
                self._ownership.halt(owned)
            raise storage_failed(outcome.detail)
        if owned is None:
            self._queue(create)
        return _head(create)

    async def execute_once(self, request: StartRequest, key: str) -> Started:
        """Start an execution unless its caller has started it under this key before."""
        state = self._state
        caller = request.created_by or ""
        digest = payload_digest(request)
        keyed = await state.read(state.journal.keyed, caller, request.workflow_id, key)
        now_ms = state.clock.now_ms()
        if keyed is not None and keyed.expires_at > now_ms:
            return await self._again(keyed.execution_id, same=keyed.digest == digest)
        expires_at = now_ms + state.limits.idempotency_ttl_ms
        under = IdempotencyKey(caller=caller, key=key, digest=digest, expires_at=expires_at)
        create = self._creation(request, under)
        outcome = await state.submit(create)
        if outcome.execution_id:
            return await self._again(outcome.execution_id, same=outcome.reason == "repeated")
        if not outcome.done:
            raise storage_failed(outcome.detail)
        may_begin = create.status is Status.RUNNING and self._admission.has_room
        if not may_begin or self._admission.begin(create) is None:
            self._queue(create)
        return Started(_head(create), repeated=False)

    async def _again(self, execution_id: str, *, same: bool) -> Started:
        """The execution that a key stands for, as it is now."""
        if not same:
            raise RefusedError(
                "idempotency_mismatch",
                f"this idempotency key has started {execution_id}, which was asked for in another "
                "way: take a new key for another execution",
            )
        row = await self._state.read(self._state.journal.row, execution_id)
        if row is None:
            raise unknown_execution(execution_id)
        return Started(head_of(row), repeated=True)

    def _creation(self, request: StartRequest, under: IdempotencyKey | None) -> CreateExecution:
        """The execution to record. Raises RefusedError where it cannot be started."""
        state = self._state
        self._refuse_for_now()
        entry = state.catalog.offered(request.workflow_id, request.version)
        check(entry, request.inputs)
        served = entry.served
        start_at = request.start_at
        if start_at is not None and start_at <= state.clock.now_ms():
            start_at = None
        at_once = (
            start_at is None and self._admission.has_room and self._workers.choose("") is not None
        )
        execution_id = self._new_id()
        return CreateExecution(
            execution_id=execution_id,
            workflow_id=served.workflow_id,
            workflow_version=served.version,
            digest=served.digest,
            status=Status.RUNNING if at_once else Status.PENDING,
            created_at=created_ms(execution_id),
            inputs=request.inputs,
            tags={**served.tags, **request.tags},
            priority=request.priority,
            timeout_ms=request.timeout_ms if request.timeout_ms is not None else served.timeout_ms,
            created_by=request.created_by,
            start_at=start_at,
            idempotency=under,
        )

    def _queue(self, create: CreateExecution) -> None:
        """An execution is on disk that no worker has yet."""
        if create.status is Status.RUNNING:
            self._admission.ready(create.execution_id)
        elif create.start_at is None:
            self._admission.queued(1)
        else:
            self._scheduled.set(create.start_at)
            self._state.tell(create.execution_id, f"starts at {moment(create.start_at)}")

    def _refuse_for_now(self) -> None:
        state = self._state
        if state.stopping:
            raise RefusedError("shutting_down", "the server is shutting down", retry_after_s=5)
        self._workers.require_first()
        if state.journal.backlog > state.limits.max_backlog:
            raise RefusedError("overloaded", "too many changes wait to be written", retry_after_s=1)
        if self._admission.pending >= state.limits.max_pending:
            raise RefusedError(
                "overloaded",
                f"{self._admission.pending:,} executions are pending, and that is the limit",
                retry_after_s=5,
            )


def payload_digest(request: StartRequest) -> bytes:
    """A digest of what is asked for; equal for requests that mean the same.

    The order of members and white space mean nothing, nor does the unit of a timeout or the zone
    of a moment; `1` and `1.0` are different numbers to a program, and so are they here.
    """
    asked = (
        msgspec.json.decode(request.inputs),
        request.version,
        request.tags,
        request.priority,
        request.start_at,
        request.timeout_ms,
    )
    text = msgspec.json.encode(asked, order="deterministic")
    return blake2b(text, digest_size=_DIGEST_BYTES).digest()


def _head(create: CreateExecution) -> Head:
    return Head(
        execution_id=create.execution_id,
        workflow_id=create.workflow_id,
        workflow_version=create.workflow_version,
        status=create.status,
        created_at=create.created_at,
        started_at=create.created_at if create.status is Status.RUNNING else None,
        tags=create.tags,
    )
