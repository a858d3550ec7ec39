"""Documents in virtual time: registered and executed to the end, whatever crashes after a commit.

Engine, store, worker and front end are the real ones: see `simulation`.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from perdure.engine.engine import Engine
from perdure.model.execution import Execution
from perdure.openworkflow.program import compile
from perdure.ports.runtime import RefusedError, StartRequest
from perdure.worker.programs import Validation
from perdure.worker.validator import validation
from tests.recovery.simulation import Disturbance, World, buried_quietly
from tests.support.registered import PATIENT

KINDS = ("server crash", "worker crash", "failed commit")
PARENT = """\
document:
  dsl: 1.0.3
  namespace: default
  name: parent
  version: 1.0.0
do:
- child:
    run:
      workflow:
        namespace: default
        name: patient
        version: 1.0.0
"""
DOCUMENTS = [PATIENT.format(seconds=5), PARENT]
NOT_NOW = {"storage_failed", "not_ready"}


class Validator:
    """Validates at once."""

    def validate(self, source: bytes, done: Callable[[Validation], None]) -> None:
        done(validation(source))


@pytest.fixture(autouse=True)
def _buried_quietly() -> Iterator[None]:
    with buried_quietly():
        yield


async def register_and_execute(engine: Engine, world: World) -> Execution:
    """Register what is not acknowledged yet, start, and wait for the end."""
    for document in DOCUMENTS:
        while True:
            try:
                registered = await engine.register(document.encode())
                break
            except RefusedError as refused:
                if refused.code not in NOT_NOW:
                    raise
                await asyncio.sleep(0.1)
        assert await engine.source(registered.offer.served) == document
    while not world.execution_id:
        try:
            request = StartRequest(workflow_id="parent", inputs=b"{}")
            world.execution_id = (await engine.execute(request)).execution_id
        except RefusedError as refused:
            if refused.code not in NOT_NOW:
                raise
            await asyncio.sleep(0.1)
    assert await engine.wait(world.execution_id, 600)
    return await engine.execution(world.execution_id, logs=100)


def lived(folder: Path, disturbance: Disturbance) -> tuple[Execution, World]:
    world = World(folder, {})
    # Neither calls nor secrets are needed for these.
    nothing: Any = None
    world.compile_document = partial(compile, calls=nothing, secrets=nothing)
    world.validator = Validator()
    world.disturbance = disturbance
    return world.live(register_and_execute), world


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_after_any_commit_changes_nothing(tmp_path: Path, kind: str) -> None:
    undisturbed, world = lived(tmp_path / "undisturbed", Disturbance())
    assert undisturbed.result is not None
    assert bytes(undisturbed.result) == b'{"seen":2}'
    assert world.commits > 5
    for after in range(1, world.commits + 1):
        disturbed, _ = lived(tmp_path / f"{after}", Disturbance(kind, after))
        assert disturbed.head.status is undisturbed.head.status, after
        assert disturbed.result == undisturbed.result, after
