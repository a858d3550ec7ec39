"""Generated documents as programs of a simulation, with the fake that they call."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from perdure.authoring.context import current_task
from perdure.model import failure as failures
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure
from perdure.openworkflow.expressions import outside
from perdure.openworkflow.expressions.programs import ProgramError
from perdure.openworkflow.program import compile as compile_document
from perdure.openworkflow.validation import validate
from perdure.ports.calls import HttpRequest
from perdure.worker.programs import Definition, Programs
from tests.recovery.simulation import World
from tests.support.counting import answer, delay_s, fails
from tests.support.generated_documents import CHILD_ID, VERSION, WORKFLOW_ID, child

_EVALUATION_S = 0.05


class FakeCalls:
    """Answers calls in the virtual time of a world, and tells it which have begun.

    Whether a call fails depends on where it stands alone, so a call that is made again after a
    crash is answered as before.
    """

    def __init__(self) -> None:
        self.world: World | None = None
        self.begun: Counter[str] = Counter()
        """How often each call began, by its idempotency key."""

    def observe_with(self, world: World) -> None:
        """Begin anew: every call that begins is told to `world`."""
        self.world = world
        self.begun = Counter()

    async def http(self, request: HttpRequest) -> bytes:
        """Take the time that the query says; then answer or fail as it says."""
        running = current_task()
        assert self.world is not None
        self.world.task_begins(running.execution_id, running.position, running.attempt)
        self.begun[running.idempotency_key] += 1
        path = urlsplit(request.uri).path
        await asyncio.sleep(delay_s(request.query))
        if fails(request.query, running.position):
            detail = f"{path} is not available"
            raise FailedError(failures.communication(detail, 503, "Service Unavailable"))
        return msgspec.json.encode(answer(path, request.body))


class InlineEvaluator:
    """Evaluates here, and gives the answer a moment later."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def evaluate(
        self,
        owner: str,
        expression: str,
        arguments: bytes,
        done: Callable[[bytes | Failure], None],
    ) -> Callable[[], None]:
        """Evaluate."""
        try:
            value: bytes | Failure = outside.evaluate(expression, arguments).encode()
        except ProgramError as error:
            value = failures.expression(str(error))
        return self._loop.call_later(_EVALUATION_S, done, value).cancel

    def close(self) -> None:
        """Nothing is held."""


class NoSecrets:
    """There are none."""

    def get(self, name: str) -> Any:
        """Nothing."""
        raise KeyError(name)


def programs(document: dict[str, Any], calls: FakeCalls) -> Programs:
    """What workers serve: the document, and the one that it may run."""
    return {
        (WORKFLOW_ID, VERSION): _program(document, calls),
        (CHILD_ID, VERSION): _program(child(), calls),
    }


def _program(document: dict[str, Any], calls: FakeCalls) -> Definition:
    report = validate(msgspec.json.encode(document))
    assert report.body is not None, report.findings
    return compile_document(report.body, calls, NoSecrets())
