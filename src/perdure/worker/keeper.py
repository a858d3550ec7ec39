"""Ends what the processes of tasks have started, when their worker dies: ``python keeper.py``.

On Linux the kernel kills the process of a task with its worker, but not what that process has
started. The keeper is told of each group over its standard input (``+PGID`` when a process is
started, ``-PGID`` when its group is gone, a line each); once the worker's end closes it kills the
groups that are left. It holds the workers' lock open, so that the next server waits for it.

It imports nothing of perdure, so that it starts at once and takes little.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Keep until the worker is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        if line.startswith(b"+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
