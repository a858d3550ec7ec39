"""Executions that wait, and workers that drain or stop."""

import asyncio

import pytest

from perdure.link import messages as m
from perdure.machine import events as e
from perdure.worker.host import IDLE_S
from tests.support.scripted_engine import EXECUTION, serving
from tests.support.virtual_time import START_MS, run_virtually
from tests.unit.worker import flows
from tests.unit.worker.doing import SLOW, begin_slow, go


@pytest.fixture(autouse=True)
def _nothing_begun() -> None:
    flows.begun.clear()


# -- waiting ---------------------------------------------------------------------------------------


def test_a_waiting_execution_is_released_after_a_while() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            epoch = engine.load("listens", inbox=[go()])
            await engine.until_sent(m.Append, 2)
            await asyncio.sleep(IDLE_S - 1)
            assert engine.all(m.Released) == []
            released = await engine.until_sent(m.Released)
            assert released == m.Released(EXECUTION, epoch, 1, [])

    run_virtually(run())


def test_beyond_the_limit_the_longest_unused_is_released() -> None:
    async def run() -> None:
        async with serving(flows.listens, cached=3) as engine:
            for number in range(5):
                engine.load("listens", execution_id=f"exec-{number}")
                await engine.settle()
                if number == 2:
                    engine.deliver(go(), execution_id="exec-0")
                    await engine.settle()
            released = [message.execution_id for message in engine.all(m.Released)]
            assert released == ["exec-1", "exec-2"]

    run_virtually(run())


def test_rows_that_mean_nothing_are_read_all_the_same() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            epoch = engine.load("listens")
            await engine.settle()
            engine.deliver(e.TimerFired(time=START_MS, position="/nowhere"))
            released = await engine.until_sent(m.Released)
            assert released == m.Released(EXECUTION, epoch, 1, [])
            assert len(engine.all(m.Append)) == 1

    run_virtually(run())


def test_where_the_inbox_was_read_before_appends_say_so() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            engine.load("listens", inbox_seen=41)
            append = await engine.until_sent(m.Append)
            assert append.inbox_seen == 41

    run_virtually(run())


# -- draining and stopping -------------------------------------------------------------------------


def test_draining_releases_every_machine_and_keeps_attempts() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly, flows.listens) as engine:
            await begin_slow(engine)
            engine.load("listens", execution_id="exec-2")
            await engine.settle()
            engine.send(m.Drain())
            await engine.until_sent(m.Released, 2)
            assert engine.all(m.Released) == [
                m.Released(EXECUTION, 1, 0, [SLOW], again=True),
                m.Released("exec-2", 1, 0, []),
            ]
            engine.load("listens", execution_id="exec-3")
            await engine.until_sent(m.Released, 3)
            assert engine.all(m.Released)[-1] == m.Released("exec-3", 1, 0, [], again=True)
            assert engine.all(m.Idle) == []
            await engine.until_sent(m.Idle)
            order = [type(message).__name__ for message in engine.messages]
            assert order[-2:] == ["Outcomes", "Idle"]

    run_virtually(run())


def test_what_was_read_for_a_batch_that_is_in_flight_counts_as_unread_when_released() -> None:
    async def run() -> None:
        async with serving(flows.listens) as engine:
            engine.load("listens")
            await engine.until_sent(m.Append)
            await engine.settle()
            engine.commits = False
            engine.deliver(go())
            await engine.until_sent(m.Append, 2)
            engine.send(m.Drain())
            released = await engine.until_sent(m.Released)
            assert (released.inbox_seen, released.again) == (0, True)

    run_virtually(run())


def test_an_idle_worker_that_drains_says_so_at_once() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            engine.send(m.Drain())
            await engine.until_sent(m.Idle)

    run_virtually(run())


def test_stopping_waits_for_attempts_and_their_record() -> None:
    async def run() -> None:
        async with serving(flows.waits_slowly) as engine:
            stopped: list[float] = []
            loop = asyncio.get_running_loop()
            assert engine.worker is not None
            engine.worker.host.on_stopped = lambda: stopped.append(loop.time())
            await begin_slow(engine, 3)
            engine.send(m.Stop(60_000))
            await engine.until(lambda: stopped)
            assert (engine.ended() or m.Ended("")).result == b'"done"'
            assert stopped[0] < 5
            await engine.settle()
            assert engine.closed_because is not None

    run_virtually(run())


def test_stopping_begins_nothing_new_and_has_an_end() -> None:
    async def run() -> None:
        async with serving(flows.doubled_twice, flows.waits_slowly) as engine:
            stopped: list[float] = []
            loop = asyncio.get_running_loop()
            assert engine.worker is not None
            engine.worker.host.on_stopped = lambda: stopped.append(loop.time())
            engine.commits = False
            engine.load("doubled_twice", {"n": 1})
            engine.load("waits_slowly", {"seconds": 600}, execution_id="exec-2")
            await engine.until_sent(m.Append, 2)
            engine.commit_all()
            await engine.until_sent(m.Append, 3)
            engine.send(m.Stop(20_000))
            engine.commits = True
            engine.commit_all()
            await engine.until(lambda: stopped)
            assert stopped[0] == pytest.approx(20, abs=1)
            assert flows.begun == ["double 1", "slow"]

    run_virtually(run())


def test_the_host_hears_that_the_engine_is_gone() -> None:
    async def run() -> None:
        async with serving(flows.doubled) as engine:
            reasons: list[str] = []
            assert engine.worker is not None
            engine.worker.host.on_closed = reasons.append
            assert engine.channel is not None
            engine.channel.close()
            await engine.until(lambda: reasons)

    run_virtually(run())
