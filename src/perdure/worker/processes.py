"""Tasks in processes of their own: started for one attempt each, killable, as a group.

A thread of a small pool looks after each process: it starts it, hands on what it logs, and takes
its result. The process is killed with all of its group once its attempt is over, and when the
worker dies (see `task_process` and `keeper`).
"""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from functools import partial

from perdure.model import failure as failures
from perdure.model.exceptions import DisagreementError
from perdure.ports.logs import NewLogRecord
from perdure.worker import deaths, frames, keeper
from perdure.worker.attempts import Attempt, Attempts
from perdure.worker.outcomes import Failed, allows_retry
from perdure.worker.threads import ThreadRunner

PROCESSES = 16

_POLL_MS = 250
_LEAVE_S = 2.0
_READ_BYTES = 256 * 1024


class Child:
    """A task's process. It may be signalled from any thread, as long as it was not reaped."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._reaping = threading.Lock()
        self._reaped = False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its group."""
        with self._reaping:
            if not self._reaped:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, number)

    def reap(self) -> int:
        """Kill what is left of the group, and take the process's exit status."""
        self.signal(signal.SIGKILL)
        with self._reaping:
            self._reaped = True
        return self.process.wait()


class Keeper:
    """The process that outlives this one to kill the groups of tasks; started with the first.

    To be used from any thread. Without it, which somebody may have killed, tasks run all the same.
    """

    def __init__(self, inherited: tuple[int, ...]) -> None:
        self._inherited = inherited
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self, group: int) -> None:
        """Have a group killed if this process dies."""
        self._tell(b"+%d\n" % group)

    def release(self, group: int) -> None:
        """The group is gone."""
        self._tell(b"-%d\n" % group)

    def close(self) -> None:
        """Have every group that is kept killed now."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait()

    def _tell(self, line: bytes) -> None:
        with self._lock:
            if self._process is None:
                self._process = self._start()
            assert self._process.stdin is not None
            with suppress(BrokenPipeError, ValueError):
                self._process.stdin.write(line)

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__],
            bufsize=0,
            stdin=subprocess.PIPE,
            pass_fds=self._inherited,
            start_new_session=True,
        )
        assert process.stdin is not None
        # A fork that user code makes must not keep the keeper from seeing this process's end.
        os.register_at_fork(after_in_child=partial(os.close, process.stdin.fileno()))
        return process


class ProcessRunner(ThreadRunner):
    """Runs attempts in processes. `inherited` are descriptors that they hold open too."""

    def __init__(
        self,
        attempts: Attempts,
        loop: asyncio.AbstractEventLoop,
        *,
        limit: int = PROCESSES,
        inherited: tuple[int, ...] = (),
    ) -> None:
        super().__init__(attempts, loop, [], limit=limit, run=self._run_process)
        self._inherited = inherited
        self._keeper = Keeper(inherited)
        self._children: set[Child] = set()

    def ask(self, attempt: Attempt) -> None:
        """Ask by SIGTERM."""
        super().ask(attempt)
        if isinstance(attempt.handle, Child):
            attempt.handle.signal(signal.SIGTERM)

    def kill(self, attempt: Attempt) -> bool:
        """End it by SIGKILL; one that is only just being started is ended by who starts it."""
        if isinstance(attempt.handle, Child):
            attempt.handle.signal(signal.SIGKILL)
        return True

    def close(self) -> None:
        """Kill every process."""
        for child in tuple(self._children):
            child.signal(signal.SIGKILL)
        self._keeper.close()

    # -- in a thread of the pool ---------------------------------------------------------------

    def _run_process(self, attempt: Attempt) -> bytes | Failed:
        ours, theirs = socket.socketpair()
        watch = deaths.Watch()
        with closing(ours):
            with closing(theirs):
                child = Child(self._start(theirs.fileno()))
            self._children.add(child)
            try:
                self._keeper.keep(child.process.pid)
                attempt.handle = child
                if attempt.stopping:
                    child.signal(signal.SIGKILL)
                last, damage = _talk(ours, child, attempt)
            finally:
                self._keeper.release(child.process.pid)
                status = child.reap()
                self._children.discard(child)
        if last is None:
            how = watch.told(status) + (" before the task was over" if status >= 0 else "")
            return _died(attempt, damage or how)
        return _result(last)

    def _start(self, connection: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "perdure.worker.task_process", str(connection)]
        return subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            pass_fds=(connection, *self._inherited),
            start_new_session=True,
        )


def _talk(
    connection: socket.socket, child: Child, attempt: Attempt
) -> tuple[frames.Completed | frames.Raised | frames.Disagreed | None, str]:
    """Send the request and take what comes, until the result or the end of the process.

    The result, or None and, if it was not the process's own end, what was wrong.
    """
    command = attempt.command
    request = frames.Run(
        attempt.subject.reference,
        attempt.execution_id,
        attempt.workflow_id,
        command.position,
        command.name,
        command.attempt,
        command.input,
        sys.path,
    )
    unframer = frames.Unframer()
    try:
        frames.send(connection, request)
        connection.setblocking(False)
        with _Ears(connection, child.process) as ears:
            while True:
                data = ears.next()
                if data is None:
                    return None, ""
                for frame in unframer.feed(data):
                    if not isinstance(frame, frames.Line):
                        ears.wait_for_end()
                        return frame, ""
                    attempt.lines.add(_line(attempt, frame))
    except frames.FrameError as error:
        return None, f"sent what cannot be read: {error}"
    except OSError:  # it has gone before the request was taken
        return None, ""


class _Ears:
    """Waits for what a process sends, and for its end."""

    def __init__(self, connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self._connection = connection
        self._process = process
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._pidfd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else -1
        if self._pidfd >= 0:
            self._poll.register(self._pidfd, select.POLLIN)

    def __enter__(self) -> "_Ears":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pidfd >= 0:
            os.close(self._pidfd)

    def next(self) -> bytes | None:
        """What came; None once the process has ended and all was read, or it closed its side.

        The end of the process counts, since others may hold its side of the connection open.
        """
        while True:
            gone = self._gone()
            try:
                return self._connection.recv(_READ_BYTES) or None
            except BlockingIOError:
                if gone:
                    return None
            except ConnectionError:
                return None
            self._poll.poll(_POLL_MS)

    def wait_for_end(self) -> None:
        """Give the process a moment to end by itself."""
        self._poll.unregister(self._connection)
        deadline_polls = int(_LEAVE_S * 1000 / _POLL_MS)
        for _ in range(deadline_polls):
            if self._gone():
                return
            self._poll.poll(_POLL_MS)

    def _gone(self) -> bool:
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None


def _line(attempt: Attempt, line: frames.Line) -> NewLogRecord:
    return NewLogRecord(
        attempt.execution_id,
        line.timestamp,
        line.level,
        attempt.command.name,
        line.message,
        bytes(line.fields) if line.fields != frames.NO_FIELDS else None,
        position=attempt.position,
    )


def _result(frame: frames.Completed | frames.Raised | frames.Disagreed) -> bytes | Failed:
    if isinstance(frame, frames.Completed):
        return bytes(frame.output)
    if isinstance(frame, frames.Raised):
        return Failed(failure=frame.failure, retryable=frame.retryable, traceback=frame.traceback)
    error = DisagreementError(frame.detail, "")
    return Failed(failure=failures.disagreement(frame.detail, ""), disagreement=error)


def _died(attempt: Attempt, how: str) -> Failed:
    detail = f"the process of task {attempt.command.name} {how}"
    if attempt.command.on_crash == "fail":
        return Failed(failure=failures.crashed(detail), retryable=False)
    return Failed(
        failure=failures.runtime(detail, title="The task's process died"),
        retryable=allows_retry(attempt.subject, ChildProcessError(detail)),
    )
