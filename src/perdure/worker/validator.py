"""Validates documents in a process beside the worker, one after the other.

The process is like the evaluator's: it has nothing, and the kernel limits its time and memory. It
is started when a document comes, and ended when none has come for a while. Whatever becomes of it,
each document is answered once.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from perdure.openworkflow.validation import Report, validate
from perdure.ports.runtime import DocumentProblem
from perdure.worker.evaluating import Answer, Refused, Validate
from perdure.worker.evaluator_process import EvaluatorProcess
from perdure.worker.programs import Validation

CPU_S = 5.0
"""What validating a document may use of the CPU: compiling it takes a worker about twice that."""
_IDLE_S = 10.0

_Waiting = tuple[bytes, Callable[[Validation], None]]
_report = msgspec.json.Decoder(Report)


def validation(source: bytes) -> Validation:
    """Validate a document here and now."""
    return _validation(validate(source))


class ProcessValidator:
    """Validates in a process. `inherited` are descriptors that it holds open too."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, inherited: tuple[int, ...] = ()) -> None:
        self._loop = loop
        self._process = EvaluatorProcess(loop, inherited)
        self._waiting: deque[_Waiting] = deque()
        self._idle: asyncio.TimerHandle | None = None

    def validate(self, source: bytes, done: Callable[[Validation], None]) -> None:
        """Validate; `done` takes what came of it, on the loop."""
        self._waiting.append((source, done))
        self._go_on()

    def close(self) -> None:
        """Kill the process; what it was asked is not answered."""
        self._waiting.clear()
        self._process.close()

    def _go_on(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._process.busy:
            return
        if not self._waiting:
            self._idle = self._loop.call_later(_IDLE_S, self._process.close)
            return
        source, done = self._waiting.popleft()

        def answered(answer: Answer) -> None:
            self._go_on()
            if isinstance(answer, Refused):
                done(Validation(failed=answer.reason))
            else:
                done(_validation(_report.decode(answer.output)))

        self._process.ask(Validate(source, CPU_S), answered)


def _validation(report: Report) -> Validation:
    problems = [
        DocumentProblem(each.location, each.line, each.column, each.message)
        for each in report.findings
    ]
    return Validation(problems=problems, served=report.served, body=report.body)
