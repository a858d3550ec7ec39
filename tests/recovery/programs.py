"""Generated programs: a plan is data, and one workflow carries any plan out.

A plan is a nested list: ``["task", name, failures, length_ms]``, ``["sleep", ms]``,
``["seq", plan, …]``, ``["gather", keep_failures, plan, …]``, ``["child", plan]``,
``["event", name]``, ``["guarded", plan, cleanup]``. Its result does not depend on when things
happen, so that a disturbed run can be compared with an undisturbed one.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from perdure import (
    FailedError,
    RaisedError,
    Retry,
    WaitTimedOutError,
    current_task,
    gather,
    run_workflow,
    sleep,
    task,
    wait_for_event,
    workflow,
)
from tests.recovery.simulation import BEGINS, ENDS, World

log = logging.getLogger("generated")

_world: list[World] = []
RETRIES = 2


def observe_with(world: World) -> None:
    """Have every task that begins told to `world`."""
    _world[:] = [world]
    world.tasks_log = True


@task(retries=Retry(limit=RETRIES, delay="1s", factor=2, jitter=0.5))
async def step(name: str, failures: int, length_ms: int) -> str:
    """Take some time, fail some times, then give a text."""
    running = current_task()
    _world[0].task_begins(running.execution_id, running.position, running.attempt)
    log.info(BEGINS, running.attempt)
    await asyncio.sleep(length_ms / 1000)
    log.info(ENDS, running.attempt)
    if running.attempt <= failures:
        raise RaisedError(f"{name} fails")
    return f"{name} done"


@workflow(id="generated")
async def generated(plan: list[Any]) -> Any:
    """Carry a plan out."""
    return await carry_out(plan)


@workflow(id="generated")
async def changed(plan: list[Any]) -> Any:
    """What the workflow might become: it asks for something that no recorded one asked for."""
    with suppress(WaitTimedOutError):
        await wait_for_event("changed", timeout="1s")
    return "changed"


async def carry_out(plan: list[Any]) -> Any:
    """The result of a plan, lists of texts."""
    kind, *rest = plan
    if kind == "task":
        return await step(*rest)
    if kind == "sleep":
        await sleep(f"{rest[0]}ms")
        return "slept"
    if kind == "seq":
        results = []
        for each in rest:
            results.append(await carry_out(each))
            log.info("went on")
        return results
    if kind == "gather":
        keep, *branches = rest
        found = await gather(*[carry_out(each) for each in branches], return_exceptions=keep)
        return [str(each) if isinstance(each, BaseException) else each for each in found]
    if kind == "child":
        return await run_workflow("generated", {"plan": rest[0]})
    if kind == "event":
        return await wait_for_event(rest[0])
    assert kind == "guarded"
    try:
        return await carry_out(rest[0])
    except FailedError as error:
        return f"caught {error.failure.detail}"
    finally:
        await carry_out(rest[1])


def plans(*, events: bool = True, children: bool = True) -> st.SearchStrategy[list[Any]]:
    """Plans of moderate size. At most one waits for each event."""
    names = st.sampled_from(["a", "b", "c"])
    tasks = st.tuples(
        st.just("task"), names, st.sampled_from([0, 0, 0, 1, RETRIES + 1]), st.integers(0, 3_000)
    )
    sleeps = st.tuples(st.just("sleep"), st.integers(0, 20_000))
    leaves = st.one_of(tasks, tasks, sleeps)
    if events:
        leaves = st.one_of(leaves, st.tuples(st.just("event"), st.sampled_from(["go", "stop"])))

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=1, max_size=3)
        kinds = [
            several.map(lambda each: ("seq", *each)),
            st.tuples(st.booleans(), several).map(lambda pair: ("gather", pair[0], *pair[1])),
            st.tuples(inner, tasks).map(lambda pair: ("guarded", *pair)),
        ]
        if children:
            kinds.append(inner.map(lambda each: ("child", _without_events(each))))
        return st.one_of(kinds)

    return st.recursive(leaves, nested, max_leaves=5).map(_listed)


def _without_events(plan: Any) -> Any:
    """Events are sent to the parent: a child sleeps instead."""
    if not isinstance(plan, tuple):
        return plan
    return ("sleep", 10) if plan[0] == "event" else tuple(map(_without_events, plan))


def _listed(plan: Any) -> Any:
    return [_listed(each) for each in plan] if isinstance(plan, tuple) else plan
