"""How long a process has waited for a CPU that it could have used.

A limit on the time that something takes is no limit on what others take: on a busy machine a
process that runs has little of the CPU, and should not be told that it is slow.
"""

from pathlib import Path


def starved_s(pid: int) -> float:
    """Seconds that a process of one thread has been ready to run without running, all its life.

    Linux counts them (the second number of ``schedstat``); 0 where nobody does.
    """
    try:
        counts = Path(f"/proc/{pid}/schedstat").read_bytes().split()
        return int(counts[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
