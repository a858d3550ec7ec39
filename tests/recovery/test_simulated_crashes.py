"""A crash after every single commit leads to the undisturbed result (promises 1 to 3).

So does a commit that fails, and a disk that is full for a while; then no line is there twice.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.model.execution import Execution
from perdure.model.status import Status
from perdure.ports.runtime import StartRequest
from tests.recovery.programs import changed, generated, observe_with, plans
from tests.recovery.simulation import (
    FULL_DISK,
    JOURNAL_FAILS,
    LINES_FAIL,
    SERVER_CRASH,
    WORKER_CRASH,
    Action,
    Disturbance,
    World,
    buried_quietly,
    data_folder,
    execute_to_end,
    execute_until_held,
    resume_to_end,
)

PROGRAMS = {("generated", "1"): generated}
KINDS = (SERVER_CRASH, WORKER_CRASH, JOURNAL_FAILS, LINES_FAIL, FULL_DISK)


@pytest.fixture(autouse=True)
def _buried_quietly() -> Iterator[None]:
    with buried_quietly():
        yield


def run(plan: Any, actions: Sequence[tuple[float, str, str]], disturbance: Disturbance) -> World:
    """Carry a plan out with a disturbance; the world afterwards, with its outcome."""
    with data_folder() as folder:
        world = World(Path(folder), PROGRAMS)
        world.disturbance = disturbance
        observe_with(world)
        request = StartRequest(workflow_id="generated", inputs=msgspec.json.encode({"plan": plan}))
        script = execute_to_end(request, [Action(*action) for action in actions])
        world.outcome = outcome(world.live(script))
        return world


def outcome(execution: Execution) -> tuple[str, Any, Any]:
    """What has to be the same: status, result, error."""
    result = None if execution.result is None else msgspec.json.decode(execution.result)
    return execution.head.status.value, result, execution.error


def check_every_crash(plan: Any, actions: Sequence[tuple[float, str, str]]) -> None:
    """Disturb after every commit, in every way."""
    undisturbed = run(plan, actions, Disturbance())
    for disturbance in disturbances(undisturbed):
        disturbed = run(plan, actions, disturbance)
        assert disturbed.outcome == undisturbed.outcome, disturbance


def disturbances(undisturbed: World) -> Iterator[Disturbance]:
    """Every way to disturb a run, after every commit that it makes."""
    for kind in KINDS:
        of_lines = kind == LINES_FAIL
        commits = undisturbed.commits_of_lines if of_lines else undisturbed.commits
        for after in range(1, commits + 1):
            yield Disturbance(kind, after)


SIMULATED = settings(
    max_examples=int(os.environ.get("PERDURE_TEST_EXAMPLES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
EVENTS = tuple((5.0 * number, "event", name) for number in range(1, 7) for name in ("go", "stop"))
"""More of each than a plan has waits."""


@SIMULATED
@given(plans())
def test_crash_after_every_commit(plan: Any) -> None:
    check_every_crash(plan, EVENTS)


@SIMULATED
@given(plans(), st.integers(0, 20_000))
def test_crash_after_every_commit_of_a_cancelled_execution(plan: Any, cancel_ms: int) -> None:
    """It ends, as cancelled or as its program had it, and whatever is checked on the way holds."""
    actions = [*EVENTS, (cancel_ms / 1000, "cancel", "")]
    undisturbed = run(plan, actions, Disturbance())
    for disturbance in disturbances(undisturbed):
        disturbed = run(plan, actions, disturbance)
        assert disturbed.outcome[0] in ("cancelled", "completed", "failed")


@SIMULATED
@given(plans(), st.integers(0, 10_000), st.integers(1, 10_000))
def test_crash_after_every_commit_of_a_paused_execution(
    plan: Any, pause_ms: int, paused_ms: int
) -> None:
    pause = (pause_ms / 1000, "pause", "")
    resume = ((pause_ms + paused_ms) / 1000, "resume", "")
    check_every_crash(plan, [*EVENTS, pause, resume])


@SIMULATED
@given(plans(events=False, children=False), st.integers(1, 40))
def test_changed_code_is_held_and_goes_on_when_the_fitting_code_is_back(
    plan: Any, after: int
) -> None:
    """Code that asks for something else at its start never gets a step further (promise 4)."""
    undisturbed = run(plan, (), Disturbance())
    with data_folder() as folder:
        world = World(Path(folder), PROGRAMS)
        world.disturbance = Disturbance(SERVER_CRASH, min(after, undisturbed.commits))
        observe_with(world)
        world.on_crash = lambda: world.serve({("generated", "1"): changed})
        request = StartRequest(workflow_id="generated", inputs=msgspec.json.encode({"plan": plan}))
        seen = world.live(execute_until_held(request))
        if seen.head.status is Status.PAUSED:
            assert seen.error is not None
            assert seen.error.type.endswith(":disagreement")
            world.serve(PROGRAMS)
            seen = world.live(resume_to_end())
        began_as_changed = ("completed", "changed", None)
        assert outcome(seen) in (undisturbed.outcome, began_as_changed)
