"""Plain functions: attempts that run in threads, at most so many at a time.

The threads are daemons: one that was abandoned keeps neither the process from ending nor another
from taking its place. The time of an attempt runs from when it gets a thread.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from perdure.model import failure as failures
from perdure.worker.attempts import Attempt, Attempts
from perdure.worker.marks import SLOT_BYTES, Slot
from perdure.worker.outcomes import STOPPED, Failed, allows_retry, failed

Run = Callable[[Attempt], bytes | Failed]

THREADS = 64


def run_here(attempt: Attempt) -> bytes | Failed:
    """Run an attempt's function in the calling thread."""
    return attempt.context.run(attempt.subject.invoke_blocking, attempt.input)


class ThreadRunner:
    """Runs attempts in threads of its own, each with a slot for its mark."""

    def __init__(
        self,
        attempts: Attempts,
        loop: asyncio.AbstractEventLoop,
        slots: list[Slot],
        *,
        limit: int = THREADS,
        run: Run = run_here,
    ) -> None:
        self._attempts = attempts
        self._loop = loop
        self._slots = slots
        self._limit = limit
        self._run = run
        self._queue: SimpleQueue[Attempt] = SimpleQueue()
        self._threads = 0
        self._taken = 0
        """Attempts that were begun and are neither over nor abandoned."""
        self._claiming = threading.Lock()
        self._reports: deque[tuple[Attempt, bytes | Failed | None]] = deque()
        self._noted = False

    def begin(self, attempt: Attempt) -> None:
        """Begin an attempt as soon as a thread is free."""
        self._taken += 1
        if self._taken <= self._limit:
            self._attempts.start_clock(attempt)
        else:
            attempt.handle = self
        self._queue.put(attempt)
        self._grow()

    def ask(self, attempt: Attempt) -> None:
        """One that waits for a thread is withdrawn; one that runs can see that it should stop."""
        with self._claiming:
            waits = not attempt.begun
        if waits:
            self._taken -= 1
            self._attempts.finished(attempt, STOPPED)

    def kill(self, attempt: Attempt) -> bool:
        """Nothing can end a thread that goes on; another takes its place."""
        if attempt.slot is not None:
            attempt.slot.clear()  # what it does from now on counts for nothing
        self._taken -= 1
        self._threads -= 1
        self._grow()
        return False

    def _grow(self) -> None:
        if self._threads < min(self._taken, self._limit):
            slot = self._slots.pop() if self._slots else Slot(memoryview(bytearray(SLOT_BYTES)))
            try:
                threading.Thread(target=self._work, args=(slot,), daemon=True).start()
            except RuntimeError as error:
                self._slots.append(slot)
                if not self._threads:
                    self._fail_what_waits(f"{error}: there is no memory for it, or are too many")
            else:
                self._threads += 1

    def _fail_what_waits(self, detail: str) -> None:
        """There is no thread, so nobody would ever take it."""
        with suppress(Empty):
            while True:
                attempt = self._queue.get_nowait()
                if not attempt.stopping:
                    self._taken -= 1
                    failure = failures.runtime(detail, title="The task could not be begun")
                    retryable = allows_retry(attempt.subject, RuntimeError(detail))
                    self._attempts.finished(attempt, Failed(failure=failure, retryable=retryable))

    # -- in a thread ---------------------------------------------------------------------------

    def _work(self, slot: Slot) -> None:
        while True:
            attempt = self._queue.get()
            with self._claiming:
                if attempt.stopping:
                    continue
                attempt.begun = True
            if attempt.handle is self:
                self._report(attempt, None)
            self._attempts.mark(attempt)
            attempt.slot = slot
            slot.set(attempt.mark)
            try:
                result = self._run(attempt)
            except BaseException as error:
                result = failed(attempt.subject, error)
            slot.clear()
            self._report(attempt, result)
            if attempt.abandoned:
                self._slots.append(slot)
                return
            del attempt, result

    def _report(self, attempt: Attempt, result: bytes | Failed | None) -> None:
        self._reports.append((attempt, result))
        if not self._noted:
            self._noted = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
                self._loop.call_soon_threadsafe(self._collect)

    # -- on the loop ---------------------------------------------------------------------------

    def _collect(self) -> None:
        self._noted = False
        while self._reports:
            attempt, result = self._reports.popleft()
            if result is None:
                self._attempts.start_clock(attempt)
            else:
                if not attempt.abandoned:
                    self._taken -= 1
                self._attempts.finished(attempt, result)
