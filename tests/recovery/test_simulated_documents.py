"""A crash after every single commit of a document leads to the undisturbed result."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.model.execution import Execution
from perdure.ports.runtime import StartRequest
from perdure.worker.programs import Programs
from tests.recovery.simulated_documents import FakeCalls, InlineEvaluator, programs
from tests.recovery.simulation import (
    Action,
    Disturbance,
    World,
    buried_quietly,
    data_folder,
    execute_to_end,
)
from tests.support.generated_documents import WORKFLOW_ID, documents

KINDS = ("server crash", "worker crash", "failed commit")
PATIENCE_S = 3_600.0
"""In virtual time. What a document waits for takes minutes at most, or days."""


def simulated(examples: int) -> settings:
    """So many documents, or as many as PERDURE_TEST_EXAMPLES says."""
    return settings(
        max_examples=int(os.environ.get("PERDURE_TEST_EXAMPLES") or examples),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(autouse=True)
def _buried_quietly() -> Iterator[None]:
    with buried_quietly():
        yield


class Documents:
    """A document that is executed again and again; it is compiled once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.calls = FakeCalls()
        self.programs: Programs = programs(document, self.calls)

    def run(self, disturbance: Disturbance, actions: Sequence[Action] = ()) -> World:
        """Execute it with a disturbance; the world afterwards, with its outcome."""
        with data_folder() as folder:
            world = World(Path(folder), self.programs)
            world.disturbance = disturbance
            world.evaluator = InlineEvaluator
            self.calls.observe_with(world)
            request = StartRequest(workflow_id=WORKFLOW_ID, inputs=b"{}")
            script = execute_to_end(request, actions, patience_s=PATIENCE_S)
            world.outcome = outcome(world.live(script))
            return world


def outcome(execution: Execution) -> tuple[str, Any, Any]:
    """What has to be the same: status, result, error."""
    result = None if execution.result is None else msgspec.json.decode(execution.result)
    return execution.head.status.value, result, execution.error


def disturbances(undisturbed: World) -> Iterator[Disturbance]:
    """One of each kind after each commit."""
    for kind in KINDS:
        for after in range(1, undisturbed.commits + 1):
            yield Disturbance(kind, after)


@simulated(25)
@given(documents())
def test_crash_after_every_commit(document: dict[str, Any]) -> None:
    executed = Documents(document)
    undisturbed = executed.run(Disturbance())
    assert set(executed.calls.begun.values()) <= {1}
    for disturbance in disturbances(undisturbed):
        disturbed = executed.run(disturbance)
        assert disturbed.outcome == undisturbed.outcome, disturbance
        assert set(executed.calls.begun.values()) <= {1, 2}, disturbance


@simulated(10)
@given(documents(), st.integers(0, 10_000))
def test_crash_after_every_commit_of_a_cancelled_execution(
    document: dict[str, Any], cancel_ms: int
) -> None:
    """It ends, as cancelled or as it would have; and no call that was recorded is made again."""
    executed = Documents(document)

    def actions() -> list[Action]:
        return [Action(cancel_ms / 1000, "cancel")]

    undisturbed = executed.run(Disturbance(), actions())
    for disturbance in disturbances(undisturbed):
        disturbed = executed.run(disturbance, actions())
        assert disturbed.outcome[0] in ("cancelled", "completed", "failed"), disturbance


@simulated(10)
@given(documents(), st.integers(0, 5_000), st.integers(1, 5_000))
def test_crash_after_every_commit_of_a_paused_execution(
    document: dict[str, Any], pause_ms: int, paused_ms: int
) -> None:
    executed = Documents(document)

    def actions() -> list[Action]:
        resume_ms = pause_ms + paused_ms
        return [Action(pause_ms / 1000, "pause"), Action(resume_ms / 1000, "resume")]

    undisturbed = executed.run(Disturbance(), actions())
    assert undisturbed.outcome == executed.run(Disturbance()).outcome
    for disturbance in disturbances(undisturbed):
        disturbed = executed.run(disturbance, actions())
        assert disturbed.outcome == undisturbed.outcome, disturbance
