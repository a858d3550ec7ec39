"""A document while it runs: what its execution, its scopes and its visits of tasks consist of.

Invariants:
- Values are never changed in place; a step of the document makes new ones.
- `Run` is the only thing that changes and is shared: the context, and how much work was done.
- Work is counted, not timed, so that a replay yields where the execution yielded. Beyond
  WORK_LIMIT units in one stretch a document asks for a checkpoint, a task of perdure's own that
  does nothing: other executions run meanwhile, and timers and cancels are heard. Beyond
  VISIT_LIMIT tasks it fails.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec

from perdure.machine.machine import Machine
from perdure.openworkflow import effects
from perdure.openworkflow.types import Document

WORK_LIMIT = 500
"""Visits of tasks and evaluations between two checkpoints."""
VISIT_LIMIT = 1_000_000
"""Visits of tasks in one execution."""
BRANCH_LIMIT = 10_000
"""Branches of forks that run at the same time in one execution."""
DEPTH_LIMIT = 150
"""How deep tasks may be nested, functions and those that they call among them."""

CONTINUE: Final = -1
"""The directives; from 0 on, which task of the list comes next."""
EXIT: Final = -2
END: Final = -3

Directive = int

UNSET: Final = msgspec.UNSET


class Exceeded(BaseException):
    """The execution has visited too many tasks; nothing in the document catches it."""


class Interrupted(BaseException):
    """A deadline has passed; only the task whose deadline it is makes an error of it."""


class Scope:
    """What is visible where a task stands. Frozen."""

    __slots__ = ("depth", "extended", "variables")

    def __init__(
        self,
        variables: Mapping[str, Any],
        *,
        extended: "Frame | None" = None,
        depth: int = 0,
    ) -> None:
        self.variables = variables
        """The variables of loops and catches, without "$"."""
        self.extended = extended
        """Within an extension, the task that is extended."""
        self.depth = depth
        """How deep the calls of functions are nested that lead here, in tasks."""

    def binding(self, variables: Mapping[str, Any]) -> "Scope":
        """This scope with more variables, which hide those of the same name."""
        return Scope(
            {**self.variables, **variables},
            extended=self.extended,
            depth=self.depth,
        )


class Run:
    """One execution of a document."""

    __slots__ = (
        "branches",
        "context",
        "document",
        "input",
        "machine",
        "started_ms",
        "visits",
        "work",
    )

    def __init__(self, document: Document, machine: Machine, input: Any) -> None:
        self.document = document
        self.machine = machine
        self.input = input
        """The raw input of the workflow."""
        self.context: Any = None
        self.started_ms = machine.time
        self.branches = 0
        """How many branches of forks run."""
        self.visits = 0
        self.work = 0

    async def checkpoint(self, position: str, value: Any) -> None:
        """Let others run; `position` is that of the task which is visited next, with `value`.

        Raises Exceeded, and WorkflowError (validation) where values have grown too large: what
        one visit adds may be too little to be counted, and many of them add up.
        """
        if self.visits > VISIT_LIMIT:
            raise Exceeded
        effects.encoded(value, "what is passed from task to task")
        effects.encoded(self.context, "the context")
        await effects.record(f"{position}/~checkpoint", "checkpoint", b"null")
        self.work = 0


class Frame:
    """One visit of a task: what the expressions in it can see."""

    __slots__ = (
        "definition",
        "input",
        "name",
        "output",
        "position",
        "raw_input",
        "raw_output",
        "run",
        "scope",
        "started_ms",
    )

    def __init__(
        self,
        run: Run,
        scope: Scope,
        position: str,
        name: str,
        definition: Mapping[str, Any],
        raw_input: Any,
    ) -> None:
        self.run = run
        self.scope = scope
        self.position = position
        self.name = name
        self.definition = definition
        self.raw_input = raw_input
        self.input: Any = raw_input
        """The transformed input."""
        self.raw_output: Any = UNSET
        self.output: Any = None
        """The transformed output."""
        self.started_ms = run.machine.time


Definition = Callable[[Frame], Coroutine[Any, Any, tuple[Any, Directive | None]]]
"""What a kind of task does: from the frame, whose input is transformed, to the raw output.

With a directive where the task itself says what comes next (`switch`, `catch.then`, ``end``).
"""
