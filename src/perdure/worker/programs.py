"""What a worker needs of front ends: programs, the tasks that they ask for, and an evaluator."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from perdure.machine.machine import Program
from perdure.model.failure import Failure
from perdure.ports.runtime import DocumentProblem, Served

Mode = Literal["async", "thread", "process"]


class Definition(Program, Protocol):
    """A workflow version that can be executed."""

    def served(self) -> Served:
        """How it is announced to the server."""
        ...


Programs = Mapping[tuple[str, str], Definition]
"""Definitions by id and version."""


Compile = Callable[[bytes], Definition]
"""Makes the definition of a validated document's body."""


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a document; else how it is announced, and its body.

    `failed` says why that is not known, where it is not.
    """

    problems: Sequence[DocumentProblem] = ()
    served: Served | None = None
    body: bytes | None = None
    failed: str = ""


class Validator(Protocol):
    """Validates documents, within limits of time and memory."""

    def validate(self, source: bytes, done: Callable[[Validation], None]) -> None:
        """Validate; `done` takes what came of it. It is called once, on the loop."""
        ...


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
        self,
        owner: str,
        expression: str,
        arguments: bytes,
        done: Callable[[bytes | Failure], None],
    ) -> Callable[[], None]:
        """Evaluate; `done` takes the value as JSON, or the failure.

        It is called once, on the loop, and not before this has returned; and no more once what is
        returned was called, by who has lost interest. Owners take turns.
        """
        ...

    def close(self) -> None:
        """End; what has been asked is not answered any more."""
        ...
