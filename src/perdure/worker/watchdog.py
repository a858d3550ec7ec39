"""The worker ends when its server does, also while its loop hangs.

Three ways, since each has a gap: the link closes (the loop may hang), a pipe that the server holds
open ends (noticed by a thread, unless something keeps the interpreter's lock), and on Linux the
kernel kills the process when the thread that started it ends. A lock on a file, held from start to
death, lets the next server wait until every worker of this one is gone.
"""

import ctypes
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

ORPHANED = 70
"""The exit status of a process whose parent is gone."""

EXHAUSTED = 71
"""The exit status of a process that has no memory left."""

_PR_SET_PDEATHSIG = 1


def end_at_once(status: int = ORPHANED) -> None:
    """End this process, without any cleanup."""
    os._exit(status)


def end_with(fd: int, end: Callable[[], None] = end_at_once) -> None:
    """Call `end`, from a thread, once the other end of the pipe or socket `fd` is closed."""

    def wait() -> None:
        try:
            while os.read(fd, 1024):
                pass
        except OSError:
            pass
        end()

    threading.Thread(target=wait, name="perdure-watchdog", daemon=True).start()


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends (Linux; nothing elsewhere).

    `parent` is the parent's process id, for the case that it has ended already.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        end_at_once()


def hold_lock(path: Path) -> int:
    """Hold a shared lock on a file until this process ends; its descriptor.

    Processes that inherit the descriptor hold the lock too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor
