"""Starts in virtual time: once under a key whatever crashes, at later moments, and who waits.

Engine, store and worker are the real ones: see `simulation`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.engine.engine import Engine
from perdure.model.execution import Execution
from perdure.model.status import Status
from perdure.ports.journal import Row
from perdure.ports.runtime import RefusedError, StartRequest
from tests.recovery import simulation
from tests.recovery.programs import generated, observe_with
from tests.recovery.simulation import (
    JOURNAL_FAILS,
    SERVER_CRASH,
    WORKER_CRASH,
    Disturbance,
    World,
    buried_quietly,
    data_folder,
    retrying,
)
from tests.support.records import Records
from tests.support.virtual_time import VirtualClock

T = TypeVar("T")

PROGRAMS = {("generated", "1"): generated}
KINDS = (SERVER_CRASH, WORKER_CRASH, JOURNAL_FAILS)
LATER_MS = 120_000
PLAN = ["seq", ["task", "a", 0, 10], ["task", "b", 0, 10]]
SIMULATED = settings(
    max_examples=int(os.environ.get("PERDURE_TEST_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def _buried_quietly() -> Iterator[None]:
    with buried_quietly():
        yield


def request(plan: object = PLAN, *, priority: int = 0, start_at: int | None = None) -> StartRequest:
    inputs = msgspec.json.encode({"plan": plan})
    return StartRequest(
        workflow_id="generated", inputs=inputs, priority=priority, start_at=start_at
    )


def lived(
    script: Callable[[Engine, World], Awaitable[T]], disturbance: Disturbance | None = None
) -> tuple[T, World]:
    """What a script gives, with a disturbance, and the world in which it ran."""
    with data_folder() as folder:
        world = World(Path(folder), PROGRAMS)
        world.disturbance = disturbance or Disturbance()
        observe_with(world)
        return world.live(script), world


async def ended(engine: Engine, execution_id: str) -> Execution:
    assert await engine.wait(execution_id, 86_400.0)
    return await engine.execution(execution_id, logs=100)


def recorded(world: World) -> Sequence[Row]:
    """Every execution that there is."""
    records = Records(world.folder)
    try:
        return records.rows()
    finally:
        records.close()


# -- idempotency keys ------------------------------------------------------------------------


async def start_twice(engine: Engine, world: World) -> tuple[str, list[str]]:
    """Start under a key as a client does that hears of no answer, and again after the end."""
    first = await retrying(lambda: engine.execute_once(request(), "k"))
    execution = await ended(engine, first.head.execution_id)
    again = await retrying(lambda: engine.execute_once(request(), "k"))
    assert again.repeated
    assert again.head == execution.head
    assert execution.result is not None
    there = [row.execution_id for row in recorded(world)]
    return bytes(execution.result).decode(), there


@pytest.mark.parametrize("kind", KINDS)
def test_one_key_starts_one_execution_whatever_crashes(kind: str) -> None:
    (result, there), undisturbed = lived(start_twice)
    assert len(there) == 1
    for after in range(1, undisturbed.commits + 1):
        disturbance = Disturbance(kind, after)
        (disturbed_result, there), _ = lived(start_twice, disturbance)
        assert (disturbed_result, len(there)) == (result, 1), disturbance


class Asking(NamedTuple):
    """A client that asks for an execution some time after the start."""

    delay_ms: int
    key: str
    payload: int


askings = st.lists(
    st.builds(Asking, st.sampled_from([0, 0, 1, 30]), st.sampled_from("ab"), st.integers(0, 1)),
    min_size=1,
    max_size=8,
)


@SIMULATED
@given(askings, st.sampled_from(KINDS), st.integers(1, 8))
def test_of_many_at_once_each_key_starts_one(clients: list[Asking], kind: str, after: int) -> None:
    """All who ask in the same way get the same execution, all others are refused."""
    acknowledged: dict[str, tuple[str, int]] = {}
    """The execution of each key, and how it was asked for."""
    refusals: list[str] = []

    async def ask(engine: Engine, client: Asking) -> None:
        await asyncio.sleep(client.delay_ms / 1000)
        asked = request(["task", f"payload {client.payload}", 0, 5])
        try:
            started = await retrying(lambda: engine.execute_once(asked, client.key))
        except RefusedError as refused:
            refusals.append(refused.code)
            assert acknowledged.get(client.key, ("", None))[1] != client.payload
            return
        known = acknowledged.setdefault(client.key, (started.head.execution_id, client.payload))
        assert known == (started.head.execution_id, client.payload)

    async def script(engine: Engine, world: World) -> None:
        await asyncio.gather(*(ask(engine, client) for client in clients))
        there = {row.execution_id for row in recorded(world)}
        assert there == {execution_id for execution_id, _ in acknowledged.values()}
        assert set(refusals) <= {"idempotency_mismatch"}
        assert set(acknowledged) == {client.key for client in clients}
        for execution_id, payload in acknowledged.values():
            execution = await ended(engine, execution_id)
            assert execution.result == msgspec.Raw(b'"payload %d done"' % payload)

    lived(script, Disturbance(kind, after))


def test_a_key_is_forgotten_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = msgspec.structs.replace(simulation.LIMITS, idempotency_ttl_ms=2 * LATER_MS)
    monkeypatch.setattr(simulation, "LIMITS", limits)

    async def script(engine: Engine, world: World) -> None:
        assert world.store is not None
        first = await engine.execute_once(request(), "k")
        await asyncio.sleep(180)
        assert (await engine.execute_once(request(), "k")).repeated
        with pytest.raises(RefusedError, match="asked for in another way"):
            await engine.execute_once(request(priority=1), "k")
        await asyncio.sleep(61)
        other = await engine.execute_once(request(priority=1), "k")
        assert not other.repeated
        assert other.head.execution_id != first.head.execution_id
        await asyncio.sleep(360)
        assert world.store.journal.keyed("", "generated", "k") is None, "it was deleted"

    lived(script)


def test_a_refused_start_leaves_no_key() -> None:
    async def script(engine: Engine, world: World) -> None:
        wrong = StartRequest(workflow_id="generated", inputs=b'{"plan": 7}')
        unknown = StartRequest(workflow_id="unknown", inputs=b"{}")
        for asked, code in ((wrong, "invalid_inputs"), (unknown, "unknown_workflow")):
            with pytest.raises(RefusedError) as caught:
                await engine.execute_once(asked, "k")
            assert caught.value.code == code
        assert not (await engine.execute_once(request(), "k")).repeated

    lived(script)


def test_a_known_key_is_answered_though_nothing_can_be_started() -> None:
    async def script(engine: Engine, world: World) -> None:
        first = await engine.execute_once(request(), "k")
        await engine.retire("generated")
        again = await engine.execute_once(request(), "k")
        assert (again.repeated, again.head.execution_id) == (True, first.head.execution_id)
        with pytest.raises(RefusedError, match="retired"):
            await engine.execute_once(request(), "another")

    lived(script)


def test_one_that_finds_no_room_waits_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time(monkeypatch)

    async def script(engine: Engine, world: World) -> None:
        started = await asyncio.gather(
            *(engine.execute_once(request(), str(number)) for number in range(4))
        )
        assert engine.health().running <= 1
        for each in started:
            assert (await ended(engine, each.head.execution_id)).head.status is Status.COMPLETED

    lived(script)


# -- moments of starting -----------------------------------------------------------------------


def clock_of(engine: Engine) -> VirtualClock:
    clock = engine._state.clock
    assert isinstance(clock, VirtualClock)
    return clock


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = msgspec.structs.replace(simulation.LIMITS, max_running=1)
    monkeypatch.setattr(simulation, "LIMITS", limits)


async def schedule(engine: Engine, after_ms: int, *, priority: int = 0) -> tuple[str, int]:
    """Start an execution for a later moment: its id, and the moment."""
    start_at = clock_of(engine).now_ms() + after_ms
    head = await engine.execute(request(priority=priority, start_at=start_at))
    assert (head.status, head.started_at) == (Status.PENDING, None)
    return head.execution_id, start_at


def test_it_starts_when_its_moment_has_come() -> None:
    async def script(engine: Engine, world: World) -> None:
        execution_id, start_at = await schedule(engine, LATER_MS)
        await asyncio.sleep(119)
        waiting = await engine.execution(execution_id, logs=10)
        assert waiting.head.status is Status.PENDING
        [wait] = waiting.waiting_for
        assert (wait.kind, wait.until, wait.since) == ("start", start_at, start_at - LATER_MS)
        assert [line.message for line in waiting.logs] == ["starts at 2026-02-23T16:32:00.000Z"]
        assert world.begun == []
        execution = await ended(engine, execution_id)
        assert execution.head.started_at is not None
        assert 0 <= execution.head.started_at - start_at < 100
        assert execution.waiting_for == ()

    lived(script)


@pytest.mark.parametrize("after_ms", [-LATER_MS, 0])
def test_a_moment_that_is_over_is_none(after_ms: int) -> None:
    async def script(engine: Engine, world: World) -> None:
        start_at = clock_of(engine).now_ms() + after_ms
        head = await engine.execute(request(start_at=start_at))
        assert head.status is Status.RUNNING

    lived(script)


def test_the_clock_may_jump() -> None:
    async def script(engine: Engine, world: World) -> None:
        clock = clock_of(engine)
        soon, _ = await schedule(engine, LATER_MS)
        later, _ = await schedule(engine, 3 * LATER_MS)
        clock.jump_ms -= LATER_MS
        await asyncio.sleep(120)
        assert (await engine.execution(soon, logs=0)).head.status is Status.PENDING
        clock.jump_ms += 2 * LATER_MS
        await asyncio.sleep(2)
        assert (await engine.execution(soon, logs=0)).head.status is Status.COMPLETED
        assert (await engine.execution(later, logs=0)).head.status is Status.PENDING

    lived(script)


def test_it_starts_though_the_server_was_down_at_its_moment() -> None:
    lives: list[str] = []

    async def script(engine: Engine, world: World) -> Execution | None:
        if not lives:
            lives.append((await schedule(engine, LATER_MS))[0])
            lives.append((await schedule(engine, 9 * LATER_MS))[0])
            return None
        await asyncio.sleep(1)
        assert (await engine.execution(lives[1], logs=0)).head.status is Status.PENDING
        assert engine.health().pending == 0
        return await engine.execution(lives[0], logs=0)

    with data_folder() as folder:
        world = World(Path(folder), PROGRAMS)
        observe_with(world)
        world.live(script)
        world.now_ms += 2 * LATER_MS
        execution = world.live(script)
        assert execution is not None
        assert execution.head.status is Status.COMPLETED


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_whatever_crashes(kind: str) -> None:
    ids: list[str] = []

    async def script(engine: Engine, world: World) -> Status:
        if not ids:
            asked = request(start_at=clock_of(engine).now_ms() + 1_000)
            ids.append((await retrying(lambda: engine.execute(asked))).execution_id)
        return (await ended(engine, ids[0])).head.status

    _, undisturbed = lived(script)
    for after in range(1, undisturbed.commits + 1):
        ids.clear()
        status, _ = lived(script, Disturbance(kind, after))
        assert status is Status.COMPLETED


def test_those_that_wait_hold_no_slot_and_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time(monkeypatch)

    async def script(engine: Engine, world: World) -> None:
        for _ in range(20):
            await schedule(engine, LATER_MS)
        assert (engine.health().pending, engine.health().running) == (0, 0)
        assert (await engine.execute(request())).status is Status.RUNNING

    lived(script)


def test_those_that_are_due_come_by_priority_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time(monkeypatch)

    async def script(engine: Engine, world: World) -> None:
        busy = await engine.execute(request(["task", "a", 0, 240_000]))
        high, _ = await schedule(engine, LATER_MS, priority=5)
        higher, _ = await schedule(engine, 9 * LATER_MS, priority=9)
        low, _ = await schedule(engine, LATER_MS - 1)
        queued = await engine.execute(request(priority=1))
        assert queued.status is Status.PENDING
        for execution_id in (busy.execution_id, high, queued.execution_id, low):
            await ended(engine, execution_id)
        order = list(dict.fromkeys(execution_id for execution_id, _, _ in world.begun))
        assert order == [busy.execution_id, high, queued.execution_id, low]
        assert (await engine.execution(higher, logs=0)).head.status is Status.PENDING

    lived(script)


def test_one_that_waits_can_be_paused_resumed_and_cancelled() -> None:
    async def script(engine: Engine, world: World) -> None:
        cancelled, _ = await schedule(engine, LATER_MS)
        assert (await engine.cancel(cancelled)).status is Status.CANCELLED
        paused, start_at = await schedule(engine, LATER_MS)
        both, _ = await schedule(engine, LATER_MS)
        assert (await engine.pause(paused)).status is Status.PAUSED
        assert (await engine.resume(paused)).status is Status.PENDING
        await engine.pause(both)
        [wait] = (await engine.execution(both, logs=0)).waiting_for
        assert wait.until == start_at
        await asyncio.sleep(60)
        assert (await engine.execution(paused, logs=0)).head.status is Status.PENDING
        await asyncio.sleep(61)
        assert (await engine.execution(paused, logs=0)).head.status is Status.COMPLETED
        assert (await engine.execution(both, logs=0)).head.status is Status.PAUSED
        assert (await engine.resume(both)).status is Status.PENDING
        await ended(engine, both)
        gone = await engine.execution(cancelled, logs=0)
        assert (gone.head.status, gone.waiting_for) == (Status.CANCELLED, ())
        assert {execution_id for execution_id, _, _ in world.begun} == {paused, both}

    lived(script)


def test_one_that_waits_starts_though_its_workflow_was_retired() -> None:
    async def script(engine: Engine, world: World) -> None:
        execution_id, _ = await schedule(engine, 1_000)
        await engine.retire("generated")
        with pytest.raises(RefusedError, match="retired"):
            await engine.execute(request())
        assert (await ended(engine, execution_id)).head.status is Status.COMPLETED

    lived(script)


# -- who waits for a change --------------------------------------------------------------------


def test_every_change_of_status_wakes_who_waits_for_it() -> None:
    async def script(engine: Engine, world: World) -> list[Status]:
        execution_id, _ = await schedule(engine, 1_000)
        seen = [Status.PENDING]

        async def watch() -> None:
            while not seen[-1].ended:
                assert await engine.wait_for_change(execution_id, 60.0, since=seen[-1])
                seen.append((await engine.execution(execution_id, logs=0)).head.status)

        watching = asyncio.ensure_future(watch())
        for action in (engine.pause, engine.resume):
            await asyncio.sleep(0.1)
            await action(execution_id)
        await asyncio.sleep(0.805)
        await engine.pause(execution_id)
        await asyncio.sleep(1)
        await engine.resume(execution_id)
        await watching
        return seen

    seen, _ = lived(script)
    assert seen == ["pending", "paused", "pending", "running", "paused", "running", "completed"]


def test_nobody_waits_longer_than_wanted_or_for_what_is_over() -> None:
    async def script(engine: Engine, world: World) -> None:
        now_s = asyncio.get_running_loop().time
        execution_id, _ = await schedule(engine, LATER_MS)
        began_s = now_s()
        assert await engine.wait_for_change(execution_id, 5.0)
        assert now_s() - began_s == pytest.approx(5.0)
        assert await engine.wait_for_change(execution_id, 5.0, since=Status.RUNNING)
        await engine.cancel(execution_id)
        assert await engine.wait_for_change(execution_id, 5.0)
        assert now_s() - began_s == pytest.approx(5.0)
        with pytest.raises(RefusedError, match="there is no execution"):
            await engine.wait_for_change("exec-0000000000000", 5.0)
        assert engine._state.watchers.count == 0

    lived(script)


def test_a_cancel_wakes_too_and_so_does_a_stop() -> None:
    async def script(engine: Engine, world: World) -> None:
        ids = [(await schedule(engine, LATER_MS))[0] for _ in range(2)]
        waiting = [asyncio.ensure_future(engine.wait_for_change(id, 60.0)) for id in ids]
        await asyncio.sleep(0.1)
        await engine.cancel(ids[0])
        await waiting[0]
        assert not waiting[1].done()
        await engine.stop()
        await waiting[1]
        assert asyncio.get_running_loop().time() < 30

    lived(script)


def test_only_so_many_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = msgspec.structs.replace(simulation.LIMITS, max_watchers=2)
    monkeypatch.setattr(simulation, "LIMITS", limits)

    async def script(engine: Engine, world: World) -> list[bool]:
        execution_id, _ = await schedule(engine, LATER_MS)
        waits = [engine.wait_for_change(execution_id, 5.0) for _ in range(3)]
        return await asyncio.gather(*waits)

    answers, _ = lived(script)
    assert answers == [True, True, False]


def test_what_tells_of_changes_changes_with_what_is_shown() -> None:
    """Whenever anything of an execution looks different, its revision does."""

    async def script(engine: Engine, world: World) -> None:
        execution_id, _ = await schedule(engine, 1_000)
        before = await engine.execution(execution_id, logs=100)
        revisions = {before.revision}
        for step in range(60):
            if step == 5:
                await engine.pause(execution_id)
            elif step == 20:
                await engine.resume(execution_id)
            await asyncio.sleep(0.05 if step < 20 else 0.002)
            after = await engine.execution(execution_id, logs=100)
            assert after.revision == await engine.revision(execution_id, with_logs=True)
            assert (after == before) == (after.revision == before.revision)
            revisions.add(after.revision)
            before = after
        assert before.head.status is Status.COMPLETED
        assert len(revisions) > 5
        bare = await engine.execution(execution_id, logs=0)
        assert bare.revision == await engine.revision(execution_id, with_logs=False)
        assert bare.revision is not None
        assert bare.revision.last_line == 0

    lived(script)


def test_what_comes_in_while_it_is_paused_changes_its_revision() -> None:
    """An attempt that ends meanwhile is shown, though no batch has it yet."""

    async def script(engine: Engine, world: World) -> None:
        head = await engine.execute(request(["task", "a", 0, 500]))
        await asyncio.sleep(0.1)
        await engine.pause(head.execution_id)
        before = await engine.revision(head.execution_id, with_logs=False)
        await asyncio.sleep(1)
        after = await engine.revision(head.execution_id, with_logs=False)
        assert (before.inbox_seq, after.inbox_seq) == (0, 1)
        await engine.resume(head.execution_id)
        execution = await ended(engine, head.execution_id)
        assert execution.revision == await engine.revision(head.execution_id, with_logs=True)

    lived(script)


def test_an_end_known_from_memory_has_the_revision_that_is_read() -> None:
    async def script(engine: Engine, world: World) -> None:
        head = await engine.execute(request(["seq", PLAN, ["sleep", 50]]))
        assert await engine.wait(head.execution_id, 60.0)
        assert head.execution_id in engine._state._finished, "it is answered from memory"
        execution = await engine.execution(head.execution_id, logs=100)
        assert execution.revision == await engine.revision(head.execution_id, with_logs=True)
        assert execution == await engine.execution(head.execution_id, logs=100)

    lived(script)
