"""The memory of a process and those below it."""

import re
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MB = 1_000_000
_KIB = 1024


class Memory(NamedTuple):
    """What processes hold together, in megabytes.

    In `rss` pages that several processes share are counted in each; in `pss` once. `pss` is None
    where the system does not tell it.
    """

    rss: float
    pss: float | None

    def notes(self) -> Sequence[str]:
        """What is to be said beside `rss`."""
        if self.pss is None:
            return ()
        return [f"{self.pss:.0f} MB with shared pages counted once (PSS)"]


def resident_mb(pid: int) -> float:
    """The resident memory (RSS) of one process alone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return sum(int(kib) for p, kib in _ps("pid=,rss=") if int(p) == pid) * _KIB / MB
    return int(pages) * resource.getpagesize() / MB


def memory_of(pid: int) -> Memory:
    """The memory of a process, its children, theirs, and so on."""
    parents = {int(p): int(parent) for p, parent in _ps("pid=,ppid=")}
    pids = {pid}
    while more := {p for p, parent in parents.items() if parent in pids} - pids:
        pids |= more
    rss = sum(int(kib) for p, kib in _ps("pid=,rss=") if int(p) in pids)
    shares = [_pss_kib(each) for each in pids]
    pss = sum(share for share in shares if share is not None) if None not in shares else None
    return Memory(rss * _KIB / MB, None if pss is None else pss * _KIB / MB)


def _ps(columns: str) -> Sequence[Sequence[str]]:
    listed = subprocess.run(
        ["ps", "-A", "-o", columns], capture_output=True, check=True, text=True
    ).stdout
    return [line.split() for line in listed.splitlines()]


def _pss_kib(pid: int) -> int | None:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return None if found is None else int(found[1])
