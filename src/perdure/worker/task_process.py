"""The process of one attempt of a task: ``python -m perdure.worker.task_process FD PARENT``.

It runs one task and ends. SIGTERM asks it to stop: `Cancelled` is raised in the task. When the
worker's end of the connection closes it kills its whole group, and on Linux the kernel kills it
with the worker; what it has started is then killed by the worker's keeper (see `keeper`).
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

import msgspec

from perdure.authoring.context import TaskContext, task_context
from perdure.authoring.loading import resolve
from perdure.model.exceptions import Cancelled
from perdure.worker import frames
from perdure.worker.outcomes import Failed, checked, failed
from perdure.worker.programs import Mode
from perdure.worker.records import made_from
from perdure.worker.watchdog import end_with, end_with_parent


class Stop:
    """Whether the task was asked to stop. `Cancelled` is raised once, in the main thread."""

    def __init__(self) -> None:
        self.requested = False
        self.held_back = False
        """Whether something is under way that must not be cut."""
        self._raised = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGTERM."""
        self.requested = True
        self.raise_if_due()

    def raise_if_due(self) -> None:
        """Raise `Cancelled`, if that is still to be done and can be now."""
        if self.requested and not self._raised and not self.held_back:
            self._raised = True
            raise Cancelled

    def is_requested(self) -> bool:
        """What the task's context answers."""
        return self.requested


class Sender(logging.Handler):
    """Sends what is logged; waits where the worker does not take it yet."""

    def __init__(self, connection: socket.socket, stop: Stop) -> None:
        super().__init__(logging.INFO)
        self._connection = connection
        self._stop = stop
        self._sending = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line."""
        line = made_from(record, "", time.time_ns() // 1_000_000, None)
        fields = frames.NO_FIELDS if line.fields is None else msgspec.Raw(line.fields)
        self.send(frames.Line(line.timestamp, line.level, line.message, fields))

    def send(self, frame: frames.Frame) -> None:
        """Send a frame, whole."""
        if threading.current_thread() is not threading.main_thread():
            self._send(frame)
            return
        self._stop.held_back = True
        try:
            self._send(frame)
        finally:
            self._stop.held_back = False
        self._stop.raise_if_due()

    def _send(self, frame: frames.Frame) -> None:
        with self._sending:
            frames.send(self._connection, frame)


class Unresolved:
    """Stands for a task that could not be found: what it raises may be tried again."""

    mode: Mode = "process"
    reference = ""

    async def invoke(self, input: bytes) -> bytes:
        """Never called."""
        raise NotImplementedError

    def invoke_blocking(self, input: bytes) -> bytes:
        """Never called."""
        raise NotImplementedError

    def retryable(self, error: BaseException) -> bool:
        """Another attempt may find it."""
        return True


def main() -> None:
    """Run the task that comes first on the connection."""
    end_with_parent(int(sys.argv[2]))
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    request = frames.decode_run(frames.receive(connection))
    end_with(connection.fileno(), _kill_group)
    stop = Stop()
    signal.signal(signal.SIGTERM, stop.handle)
    sys.path.extend(folder for folder in request.path if folder not in sys.path)
    sender = Sender(connection, stop)
    root = logging.getLogger()
    root.addHandler(sender)
    root.setLevel(logging.INFO)
    result = _run(request, stop)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sender.send(_answer(result))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _run(request: frames.Run, stop: Stop) -> bytes | Failed:
    task_context.set(
        TaskContext(
            execution_id=request.execution_id,
            workflow_id=request.workflow_id,
            position=request.position,
            name=request.name,
            attempt=request.attempt,
            stop_requested=stop.is_requested,
        )
    )
    try:
        task = resolve(request.reference)
    except BaseException as error:
        return failed(Unresolved(), error)
    try:
        return checked(task.invoke_blocking(bytes(request.input)), request.name)
    except BaseException as error:
        return failed(task, error)


def _answer(result: bytes | Failed) -> frames.Frame:
    if isinstance(result, bytes):
        return frames.Completed(msgspec.Raw(result))
    if result.disagreement is not None:
        return frames.Disagreed(result.disagreement.detail)
    return frames.Raised(result.failure, result.retryable, result.traceback)


def _kill_group() -> None:
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
