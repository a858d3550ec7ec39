"""The data folder: made where it is missing, and used by one server at a time.

`server.lock` is held by the server; `workers.lock` is shared by its workers and their task
processes. Locks are the kernel's (flock), so a crash leaves none behind. A server that starts
waits until the workers of the one before are gone: only then does nothing run twice.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from perdure.model.exceptions import PerdureError

_POLL_S = 0.05
_PATIENCE_S = 60.0


class FolderError(PerdureError):
    """The data folder cannot be used; the text says why and what to do."""


class DataFolder:
    """A data folder that is locked for this server. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server_lock: int | None = None

    @property
    def workers_lock(self) -> Path:
        """The file that workers hold a shared lock on while they live."""
        return self.path / "workers.lock"

    def __enter__(self) -> "DataFolder":
        self._make()
        self._server_lock = self._lock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server_lock is not None:
            os.close(self._server_lock)

    def wait_for_workers(self, say: Callable[[str], None]) -> None:
        """Wait until no worker of an earlier server is left. Raises FolderError after a minute."""
        descriptor = self._open("workers.lock")
        try:
            deadline = time.monotonic() + _PATIENCE_S
            said = False
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if not said:
                        said = True
                        say("waiting for workers of the previous server to end")
                    if time.monotonic() > deadline:
                        raise FolderError(
                            f"workers of an earlier server still hold {self.workers_lock} after "
                            f"{_PATIENCE_S:.0f} s: end these processes, then start again"
                        ) from None
                    time.sleep(_POLL_S)
        finally:
            os.close(descriptor)

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except FileExistsError:
            raise FolderError(
                f"{self.path} is a file: --data names a folder for perdure's data"
            ) from None
        except OSError as error:
            raise FolderError(
                f"the data folder {self.path} cannot be made: {error.strerror}; "
                "name another one with --data"
            ) from None

    def _lock(self) -> int:
        descriptor = self._open("server.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise FolderError(
                f"another server (process {owner}) uses the data folder {self.path}: "
                "stop it, or name another folder with --data"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def _open(self, name: str) -> int:
        try:
            return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FolderError(
                f"the data folder {self.path} cannot be written: {error.strerror}; make it "
                "writable, or name another one with --data"
            ) from None
