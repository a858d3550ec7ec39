"""The machine that was measured on, as far as the numbers depend on it."""

import os
import platform
import re
from pathlib import Path

import apsw
import msgspec

from benchmarks.bare_commit import fsync_ms


class Machine(msgspec.Struct, frozen=True):
    """What is said of it beside the measurements."""

    cores: int
    cpu: str
    python: str
    kernel: str
    sqlite: str
    fsync_ms: float
    """The median of writing 4 KB and fdatasync in the folder of the data."""
    load: float
    """Processes that wanted to run, in the mean of the minute before the first measurement."""

    def lines(self) -> list[str]:
        """In words."""
        return [
            f"{self.cores} cores, {self.cpu}; {self.kernel}",
            f"Python {self.python}, SQLite {self.sqlite}; an fsync takes {self.fsync_ms:.2f} ms; "
            f"load before {self.load:.1f}",
        ]


def this_machine(data: Path) -> Machine:
    """This one, with data in that folder."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        cpu=_cpu(),
        python=platform.python_version(),
        kernel=f"{platform.system()} {platform.release()}",
        sqlite=apsw.sqlite_lib_version(),
        fsync_ms=fsync_ms(data),
        load=os.getloadavg()[0],
    )


def _cores() -> int:
    return os.cpu_count() or 1


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.machine()
