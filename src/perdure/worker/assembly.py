"""A worker, put together: a host with its attempts, their runners, and the capture of logs."""

import asyncio
from collections.abc import Callable, Sequence

from perdure.link import messages as m
from perdure.link.channel import Channel
from perdure.ports.clock import Clock
from perdure.ports.logs import NewLogRecord
from perdure.worker.attempts import Attempts
from perdure.worker.capture import Capture
from perdure.worker.catalog import Loaded
from perdure.worker.coroutines import LoopRunner
from perdure.worker.definitions import compile_nothing
from perdure.worker.host import CACHED, Host
from perdure.worker.marks import LOOP_SLOT, Marks
from perdure.worker.processes import PROCESSES, ProcessRunner
from perdure.worker.programs import Compile, Evaluator, Validator
from perdure.worker.stepping import Stepper
from perdure.worker.threads import THREADS, ThreadRunner


class Assembly:
    """The parts of one worker. Nothing comes in before `connect`; `host` receives."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        catalog: Loaded,
        clock: Clock,
        entropy: Callable[[], int],
        marks: Marks,
        *,
        evaluator: Evaluator | None = None,
        compile_document: Compile = compile_nothing,
        validator: Validator | None = None,
        cached: int = CACHED,
        threads: int = THREADS,
        processes: int = PROCESSES,
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._unsent_bytes: Callable[[], int] = lambda: 0
        loop_slot = marks.slot(LOOP_SLOT)
        thread_slots = [marks.slot(number) for number in range(LOOP_SLOT + 1, marks.slots)]
        self.capture = Capture(loop, clock, self._send_lines, self._backlog)
        self.attempts = Attempts(loop, clock, self.capture)
        self._processes = ProcessRunner(self.attempts, loop, limit=processes, inherited=inherited)
        self.attempts.runners = {
            "async": LoopRunner(self.attempts, loop, loop_slot),
            "thread": ThreadRunner(self.attempts, loop, thread_slots, limit=threads),
            "process": self._processes,
        }
        self.host = Host(
            loop,
            catalog,
            clock,
            entropy,
            self.attempts,
            Stepper(loop_slot, self.capture),
            evaluator=evaluator,
            compile_document=compile_document,
            validator=validator,
            cached=cached,
        )

    def connect(
        self, channel: Channel[m.ToEngine], unsent_bytes: Callable[[], int] = lambda: 0
    ) -> None:
        """Take what is logged from now on, and say what is served."""
        self._unsent_bytes = unsent_bytes
        self.capture.install()
        self.host.connect(channel)

    def close(self) -> None:
        """Take no more of what is logged, and kill the processes of tasks and the evaluator's."""
        self.capture.remove()
        self._processes.close()
        self.host.evaluator.close()

    def _backlog(self) -> int:
        return self._unsent_bytes()

    def _send_lines(self, records: Sequence[NewLogRecord]) -> None:
        self.host.send_lines(records)
