"""How a worker is started. Apart from the worker, so that the server imports nothing of that."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def worker_command(
    *,
    link_fd: int,
    marks_fd: int,
    life_fd: int,
    lock: Path,
    paths: Sequence[str | Path],
    egress_allow: Sequence[str] = (),
) -> list[str]:
    """The command that starts a worker; the descriptors are to be passed on (`pass_fds`).

    `link_fd` is its end of a stream socket pair, `marks_fd` a `Marks` memory, `life_fd` the
    reading end of a pipe whose other end the server alone holds open. Start it from a thread that
    lives as long as the server: on Linux the worker is killed when that thread ends.
    """
    return [
        sys.executable,
        "-m",
        "perdure.bootstrap.worker",
        f"--link-fd={link_fd}",
        f"--marks-fd={marks_fd}",
        f"--life-fd={life_fd}",
        f"--lock={lock}",
        f"--parent={os.getpid()}",
        *(f"--egress-allow={entry}" for entry in egress_allow),
        "--",
        *map(str, paths),
    ]
