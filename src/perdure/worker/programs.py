"""What a worker needs of front ends: programs, the tasks that they ask for, and an evaluator."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, Protocol

from perdure.machine.machine import Program
from perdure.model.failure import Failure
from perdure.ports.runtime import Served

Mode = Literal["async", "thread", "process"]


class Definition(Program, Protocol):
    """A workflow version that can be executed."""

    def served(self) -> Served:
        """How it is announced to the server."""
        ...


Programs = Mapping[tuple[str, str], Definition]
"""Definitions by id and version."""


class Subject(Protocol):
    """A task: what the command `RunTask` is carried out with. Values are JSON."""

    @property
    def mode(self) -> Mode:
        """Where it runs: on the loop, in a thread, or in a process of its own."""
        ...

    @property
    def reference(self) -> str:
        """How another process finds it."""
        ...

    def invoke(self, input: bytes) -> Coroutine[Any, Any, bytes]:
        """Run one attempt on the loop."""
        ...

    def invoke_blocking(self, input: bytes) -> bytes:
        """Run one attempt here and now."""
        ...

    def retryable(self, error: BaseException) -> bool:
        """Whether an attempt that raised `error` may be followed by another."""
        ...


class Evaluator(Protocol):
    """Evaluates expressions outside of machines."""

    def evaluate(
        self, expression: str, arguments: bytes, done: Callable[[bytes | Failure], None]
    ) -> None:
        """Evaluate; `done` takes the value as JSON, or the failure.

        It is called once, on the loop, and not before this has returned.
        """
        ...
