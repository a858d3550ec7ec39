"""What this worker serves."""

import asyncio
from collections.abc import Callable, Sequence

from perdure.link.messages import ImportProblem
from perdure.model import failure as failures
from perdure.model.failure import Failure
from perdure.ports.runtime import Served
from perdure.worker.programs import Definition, Programs


class Loaded:
    """Definitions with their announcements. One that cannot be announced is a problem."""

    def __init__(self, programs: Programs, problems: Sequence[ImportProblem] = ()) -> None:
        self._entries: dict[tuple[str, str], tuple[Definition, str]] = {}
        self.served: list[Served] = []
        self.problems = list(problems)
        for (workflow_id, version), definition in programs.items():
            try:
                served = definition.served()
            except Exception as error:
                where = f"{workflow_id} version {version}"
                self.problems.append(ImportProblem(where, f"{type(error).__name__}: {error}"))
            else:
                self.served.append(served)
                self._entries[workflow_id, version] = (definition, served.digest)

    def find(self, workflow_id: str, version: str) -> tuple[Definition, str] | None:
        """A definition and the digest of its source, or None."""
        return self._entries.get((workflow_id, version))


class NoEvaluator:
    """Stands where no evaluator is installed: every evaluation fails, and says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def evaluate(
        self,
        owner: str,
        expression: str,
        arguments: bytes,
        done: Callable[[bytes | Failure], None],
    ) -> Callable[[], None]:
        """Fail."""
        failure = failures.expression(f"no evaluator is installed that could evaluate {expression}")
        return self._loop.call_soon(done, failure).cancel

    def close(self) -> None:
        """Nothing is held."""
