"""Starts worker processes: each with its link, its marks, and a pipe that ends with the server."""

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from perdure.bootstrap.worker_command import worker_command
from perdure.engine.handle import Mark, WorkerProcess
from perdure.link.channel import Channel, Receiver
from perdure.link.messages import ToEngine, ToWorker
from perdure.link.socket import engine_end
from perdure.worker.deaths import Watch
from perdure.worker.marks import Marks
from perdure.worker.watchdog import EXHAUSTED

_ADMIN_KEY = "PERDURE_ADMIN_KEY"
"""The variable that workers do not get: user code, and what it starts, has no need of it."""
_SOCKET_BUFFER_BYTES = 1024 * 1024
_LAST_MOMENT_S = 0.2
"""A process closes its sockets a moment before it is gone."""


class Worker:
    """A started worker process."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        channel: Channel[ToWorker],
        marks: Marks,
        life: int,
        watch: Watch,
    ) -> None:
        self._process = process
        self.channel = channel
        self._marks = marks
        self._life = life
        self._watch = watch
        self._buried = False

    def marks(self) -> Sequence[Mark]:
        """What is on its CPU now, or was when it died."""
        return self._marks.read()

    def death(self) -> str:
        """How it ended, to follow its name; empty where it has not."""
        try:
            status = self._process.wait(_LAST_MOMENT_S)
        except subprocess.TimeoutExpired:
            return ""
        return "ran out of memory" if status == EXHAUSTED else self._watch.told(status)

    def kill(self) -> None:
        """End it at once. Its end of the channel closes once its memory was given back."""
        self._process.kill()

    def bury(self) -> None:
        """Wait until it is gone, and let go of what was shared with it."""
        if not self._buried:
            self._buried = True
            self._process.wait()
            os.close(self._life)
            self.channel.close()
            self._marks.close()


class ProcessSpawner:
    """Starts workers that serve the same paths.

    Where code is `edited` while it is served, they write no bytecode: Python takes it for current
    by the second and the size of its source, and an edit may leave both as they were.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        workers_lock: Path,
        *,
        edited: bool = False,
        egress_allow: Sequence[str] = (),
    ) -> None:
        self._paths = paths
        self._workers_lock = workers_lock
        self._egress_allow = egress_allow
        self._environ = {name: text for name, text in os.environ.items() if name != _ADMIN_KEY}
        if edited:
            self._environ["PYTHONDONTWRITEBYTECODE"] = "1"

    async def spawn(self, number: int, receiver: Receiver[ToEngine]) -> WorkerProcess:
        """Start a worker."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        marks = Marks.create()
        watch = Watch()
        with theirs:
            process, life = self._start(theirs, marks)
        ours.setblocking(False)
        return Worker(process, await engine_end(ours, receiver), marks, life, watch)

    def _start(self, link: socket.socket, marks: Marks) -> tuple[subprocess.Popen[bytes], int]:
        """The process, and the end of the pipe that tells it that the server lives.

        To be called from the main thread: on Linux a worker dies with the thread that forked it.
        """
        life_read, life_write = os.pipe()
        try:
            command = worker_command(
                link_fd=link.fileno(),
                marks_fd=marks.fd,
                life_fd=life_read,
                lock=self._workers_lock,
                egress_allow=self._egress_allow,
                paths=self._paths,
            )
            # In a session of its own: Ctrl-C is the server's, and must not end what a task that
            # still has its grace has started.
            process = subprocess.Popen(
                command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                pass_fds=(link.fileno(), marks.fd, life_read),
                start_new_session=True,
            )
        finally:
            os.close(life_read)
        return process, life_write
