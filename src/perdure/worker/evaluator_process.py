"""One process that evaluates, as the worker's loop sees it: started when asked, killed when late.

Invariants:
- It is asked one thing at a time, and each question gets one answer, whatever becomes of it.
- Time begins to count when the process is ready: its start is on no expression's account. Nor is
  the time for which it waits for a CPU that others have, up to a limit.
- A process that has died, was killed, or has grown is replaced at the next question.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import msgspec

from perdure.worker import deaths
from perdure.worker.evaluating import (
    MEMORY_BYTES,
    OVERTIME,
    Answer,
    Ready,
    Refused,
    Request,
    Value,
    framed,
)
from perdure.worker.frames import LENGTH_BYTES
from perdure.worker.starvation import starved_s
from perdure.worker.watchdog import EXHAUSTED

WALL_FACTOR = 2.0
"""How much longer than its CPU time an answer may take, while there is a CPU for it."""
PATIENCE_FACTOR = 10.0
"""How much longer it may take on a machine that is busy with something else."""

_STARTS = 3
"""How often a process is started for a question that none has come to."""
_START_S = 30.0
_CHECK_S = 0.05
_READ_BYTES = 256 * 1024
_decode = msgspec.json.Decoder(Ready | Value | Refused).decode


class EvaluatorProcess:
    """Asks a process; everything happens on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inherited: tuple[int, ...]) -> None:
        self._loop = loop
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._watch = deaths.Watch()
        self._ready = False
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._writing = False
        self._question: Request | None = None
        self._answered: Callable[[Answer], None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._asked_s = self._starved_before_s = 0.0
        self._late = False
        self._starts = 0

    @property
    def busy(self) -> bool:
        """Whether it has a question."""
        return self._question is not None

    @property
    def pid(self) -> int | None:
        """The process that there is now."""
        return self._process.pid if self._process is not None else None

    def ask(self, question: Request, answered: Callable[[Answer], None]) -> None:
        """Ask; `answered` is called once, and not before this has returned."""
        assert self._question is None
        self._question = question
        self._answered = answered
        self._starts = 0
        if self._process is None:
            self._start()
        elif self._ready:
            self._send()

    def close(self) -> None:
        """Kill the process. What it was asked is not answered."""
        self._question = self._answered = None
        self._bury(kill=True)

    # -- the process ---------------------------------------------------------------------------

    def _start(self) -> None:
        self._starts += 1
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-m", "perdure.worker.evaluating"]
        self._watch = deaths.Watch()
        self._late = False
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [*command, str(theirs.fileno()), str(os.getpid())],
                    env={},
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), *self._inherited),
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            reason = f"no process could be started that would evaluate it: {error}"
            self._loop.call_soon(self._answer, Refused(reason, last=True))
            return
        ours.setblocking(False)
        self._connection = ours
        self._loop.add_reader(ours, self._read)
        self._deadline = self._loop.call_later(_START_S, self._overdue)

    def _check_time(self) -> None:
        """Has the question taken its time? What it could not use is added to it."""
        assert self._question is not None
        assert self._process is not None
        cpu_s = self._question.cpu_s
        starved = starved_s(self._process.pid) - self._starved_before_s
        allowed_s = min(cpu_s * WALL_FACTOR + starved, cpu_s * PATIENCE_FACTOR)
        left_s = self._asked_s + allowed_s - self._loop.time()
        if left_s > 0:
            self._deadline = self._loop.call_later(max(left_s, _CHECK_S), self._check_time)
        else:
            self._overdue()

    def _overdue(self) -> None:
        self._late = True
        assert self._process is not None
        self._process.kill()

    def _send(self) -> None:
        assert self._question is not None
        self._unsent = memoryview(framed(self._question))
        assert self._process is not None
        self._asked_s = self._loop.time()
        self._starved_before_s = starved_s(self._process.pid)
        wall_s = self._question.cpu_s * WALL_FACTOR
        self._deadline = self._loop.call_later(wall_s, self._check_time)
        self._write()

    def _write(self) -> None:
        assert self._connection is not None
        try:
            sent = self._connection.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:  # it has gone: what there is to read says so
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if self._unsent and not self._writing:
            self._writing = True
            self._loop.add_writer(self._connection, self._write)
        elif self._writing and not self._unsent:
            self._writing = False
            self._loop.remove_writer(self._connection)

    def _read(self) -> None:
        assert self._connection is not None
        try:
            data = self._connection.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._died()
            return
        received = self._received
        received += data
        while len(received) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "big")
            if len(received) < end:
                return
            message = _decode(bytes(received[LENGTH_BYTES:end]))
            del received[:end]
            self._take(message)

    def _take(self, message: Ready | Answer) -> None:
        self._clear_deadline()
        if isinstance(message, Ready):
            self._ready = True
            if self._question is not None:
                self._send()
            return
        if message.last or self._late:
            self._bury(kill=True)
        self._answer(message)

    def _died(self) -> None:
        """The process is gone, of itself or killed: whose fault was it?"""
        was_ready, late = self._ready, self._late
        status = self._bury(kill=False)
        question = self._question
        if question is None:
            return
        its_own = was_ready and (late or status not in _FROM_OUTSIDE)
        if not its_own and self._starts < _STARTS:
            self._start()
        elif its_own:
            self._answer(Refused(self._told(status, late, question), last=True))
        else:
            reason = f"the process that was to evaluate it {self._watch.told(status)}"
            self._answer(Refused(reason, last=True))

    def _told(self, status: int, late: bool, question: Request) -> str:
        if late:
            return f"it took longer than {question.cpu_s * WALL_FACTOR:g} s, and was ended"
        if status == -OVERTIME:
            return f"it used more than {question.cpu_s:g} s of the CPU, and was ended"
        if status in (EXHAUSTED, -signal.SIGABRT):
            megabytes = MEMORY_BYTES // (1024 * 1024)
            return f"it took more than {megabytes} MB of memory, or made jq give up"
        if status in (-signal.SIGSEGV, -signal.SIGBUS):
            return "it crashed jq: it recurses too deeply, or its value is nested too deeply"
        return f"its process {self._watch.told(status)}"

    def _answer(self, answer: Answer) -> None:
        answered, self._answered = self._answered, None
        self._question = None
        if answered is not None:
            answered(answer)

    def _bury(self, *, kill: bool) -> int:
        """Let go of the process, which is gone or will be at once; its status."""
        self._clear_deadline()
        process, connection = self._process, self._connection
        self._process = self._connection = None
        self._ready = self._writing = False
        self._received.clear()
        self._unsent = memoryview(b"")
        if connection is not None:
            self._loop.remove_reader(connection)
            self._loop.remove_writer(connection)
            connection.close()
        if process is None:
            return 0
        if kill:
            process.kill()
        return process.wait()

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


_FROM_OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, 0})
"""How a process ends that somebody else has ended, not what it was asked."""
