"""Branches: the coroutines of a program, and what they may wait for."""

from collections import Counter
from collections.abc import Coroutine, Generator, Sequence
from contextlib import suppress
from typing import Any

from perdure.machine.commands import AnyCommand
from perdure.machine.events import AnyEvent
from perdure.model import position as positions

_CLOSING_LIMIT = 1_000
"""How many waits in cleanup code are ended before a coroutine is left to itself."""


class Dropped(BaseException):
    """Raised where a branch waits whose program is dropped.

    It is not GeneratorExit, since a coroutine that awaits in its cleanup makes a RuntimeError of
    that, for its caller.
    """


class Perform:
    """Awaited in a program: asks for a command, and is the event that answers it.

    `subject` is whatever the worker needs to carry the command out (a task object, say). It is
    never recorded: on replay the program provides it again.
    """

    __slots__ = ("command", "subject")

    def __init__(self, command: AnyCommand, subject: object = None) -> None:
        self.command = command
        self.subject = subject

    def __await__(self) -> Generator["Perform", AnyEvent, AnyEvent]:
        return (yield self)


class Branch:
    """One coroutine of a program, with the positions it has given out."""

    __slots__ = (
        "_coroutine",
        "_counts",
        "cancelled",
        "done",
        "error",
        "join",
        "pending_throw",
        "prefix",
        "result",
        "send",
        "throw",
        "waiting",
    )

    def __init__(self, prefix: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.prefix = prefix
        self._coroutine = coroutine
        self.send = coroutine.send
        self.throw = coroutine.throw
        self._counts: Counter[str] = Counter()
        self.waiting: Perform | Join | None = None
        self.join: Join | None = None
        self.pending_throw: BaseException | None = None
        """What to throw once the command that was asked to stop has been answered."""
        self.cancelled = False
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def next_position(self, name: str) -> str:
        """The position of the next thing called `name` in this branch."""
        return self._next(positions.escape(name))

    def next_internal_position(self, word: str) -> str:
        """The position of the next thing in this branch that is perdure's own, and no task."""
        return self._next(f"~{word}")

    def _next(self, segment: str) -> str:
        count = self._counts[segment]
        self._counts[segment] = count + 1
        return positions.child(self.prefix, segment, count)

    def close(self) -> None:
        """Drop the coroutine where it stands; its cleanup runs as far as it does not wait."""
        with suppress(BaseException):  # whatever it raises no longer counts
            for _ in range(_CLOSING_LIMIT):
                self.throw(Dropped())
            self._coroutine.close()


class Join:
    """Awaited in a program: waits until its branches are done, or one of them ends it.

    With `stop_on_failure` the first that fails ends it, with `stop_on_success` the first that does
    not.
    """

    __slots__ = (
        "branches",
        "first_completed",
        "first_failed",
        "remaining",
        "stop_on_failure",
        "stop_on_success",
        "waiter",
    )

    def __init__(
        self, branches: Sequence[Branch], stop_on_failure: bool, *, stop_on_success: bool = False
    ) -> None:
        self.branches = branches
        self.stop_on_failure = stop_on_failure
        self.stop_on_success = stop_on_success
        self.waiter: Branch | None = None
        self.first_failed: Branch | None = None
        self.first_completed: Branch | None = None
        self.remaining = 0
        for branch in branches:
            if branch.done:
                self._note(branch)
            else:
                self.remaining += 1
                branch.join = self

    @property
    def satisfied(self) -> bool:
        """Whether there is nothing more to wait for."""
        return (
            not self.remaining
            or (self.stop_on_failure and self.first_failed is not None)
            or (self.stop_on_success and self.first_completed is not None)
        )

    def branch_done(self, branch: Branch) -> None:
        """Take note that one of the branches is done."""
        self.remaining -= 1
        self._note(branch)

    def _note(self, branch: Branch) -> None:
        if branch.error is None:
            self.first_completed = self.first_completed or branch
        else:
            self.first_failed = self.first_failed or branch

    def __await__(self) -> Generator["Join", None, None]:
        yield self
