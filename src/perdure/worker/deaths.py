"""How a process ended, in words, and whether the system ran out of memory meanwhile."""

import signal
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")


class Watch:
    """Watches a process from before its start on. From any thread."""

    def __init__(self) -> None:
        self._killed_before = _kills_for_memory()

    def told(self, status: int) -> str:
        """What a process did that ended with this `Popen.returncode`, to follow its name."""
        if status >= 0:
            return f"exited with status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        if -status == signal.SIGKILL and _kills_for_memory() > self._killed_before:
            return f"was killed by {name}, perhaps by the system, which ran out of memory"
        return f"was killed by {name}"


def _kills_for_memory() -> int:
    """How many processes the system has killed for want of memory; 0 where it does not say."""
    try:
        for line in _VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0
