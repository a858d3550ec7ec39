"""Async tasks: their coroutines run on the worker's loop, marked while they are on the CPU."""

import asyncio
from collections.abc import Coroutine
from types import CodeType, FrameType, TracebackType
from typing import Any

from perdure.worker.attempts import Attempt, Attempts
from perdure.worker.marks import EMPTIED, EMPTY, Slot
from perdure.worker.outcomes import failed


class MarkedCoroutine(Coroutine[Any, Any, None]):
    """A task's coroutine as asyncio drives it: each step is marked, the end is reported.

    It never raises: whatever the task raises is its outcome, also what asyncio would let through
    to end the loop (SystemExit, KeyboardInterrupt). For those who look at coroutines from outside
    it has the attributes of the one within.
    """

    __slots__ = ("_attempt", "_attempts", "_inner", "_mark", "_memory", "_send", "_where")

    def __init__(
        self, inner: Coroutine[Any, Any, bytes], attempt: Attempt, slot: Slot, attempts: Attempts
    ) -> None:
        self._inner = inner
        self._send = inner.send
        self._attempt = attempt
        self._attempts = attempts
        self._memory = slot.memory
        self._mark = attempt.mark
        self._where = slice(0, len(attempt.mark))

    def send(self, value: Any) -> Any:
        """Go on to where it waits next."""
        self._memory[self._where] = self._mark
        try:
            return self._send(value)
        except BaseException as raised:
            self._end(raised)
            raise StopIteration from None
        finally:
            self._memory[EMPTIED] = EMPTY

    def throw(
        self,
        type_: Any,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
        /,
    ) -> Any:
        """Raise an exception where it waits."""
        self._memory[self._where] = self._mark
        try:
            if value is None and trace is None:
                return self._inner.throw(type_)
            return self._inner.throw(type_, value, trace)
        except BaseException as raised:
            self._end(raised)
            raise StopIteration from None
        finally:
            self._memory[EMPTIED] = EMPTY

    def close(self) -> None:
        """Drop it where it stands."""
        self._inner.close()

    def __await__(self) -> Any:
        raise TypeError("only asyncio drives this coroutine")

    def _end(self, raised: BaseException) -> None:
        if isinstance(raised, StopIteration):
            self._attempts.finished(self._attempt, raised.value)
        else:
            self._attempts.finished(self._attempt, failed(self._attempt.subject, raised))

    @property
    def cr_await(self) -> Any:
        """What the task waits for."""
        return getattr(self._inner, "cr_await", None)

    @property
    def cr_code(self) -> CodeType | None:
        """The task's code."""
        return getattr(self._inner, "cr_code", None)

    @property
    def cr_frame(self) -> FrameType | None:
        """Where the task stands."""
        return getattr(self._inner, "cr_frame", None)

    @property
    def cr_running(self) -> bool:
        """Whether the task is being stepped."""
        return bool(getattr(self._inner, "cr_running", False))

    @property
    def cr_suspended(self) -> bool:
        """Whether the task waits for something."""
        return bool(getattr(self._inner, "cr_suspended", False))


class LoopRunner:
    """Runs attempts as asyncio tasks."""

    def __init__(self, attempts: Attempts, loop: asyncio.AbstractEventLoop, slot: Slot) -> None:
        self._attempts = attempts
        self._loop = loop
        self._slot = slot

    def begin(self, attempt: Attempt) -> None:
        """Begin an attempt, in the next turn of the loop."""
        self._attempts.mark(attempt)
        self._attempts.start_clock(attempt)
        inner = attempt.subject.invoke(attempt.input)
        coroutine = MarkedCoroutine(inner, attempt, self._slot, self._attempts)
        attempt.handle = self._loop.create_task(
            coroutine, name=attempt.position, context=attempt.context
        )

    def ask(self, attempt: Attempt) -> None:
        """Cancel an attempt, as asyncio does it."""
        assert isinstance(attempt.handle, asyncio.Task)
        attempt.handle.cancel()

    def kill(self, attempt: Attempt) -> bool:
        """Nothing can end a coroutine that goes on."""
        return False
