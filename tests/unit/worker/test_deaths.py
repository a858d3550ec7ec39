"""How a process ended, in words."""

import subprocess
import sys
from pathlib import Path
from signal import SIGKILL, SIGSEGV

import pytest

from perdure.worker import deaths
from perdure.worker.deaths import Watch


@pytest.fixture
def vmstat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system counts."""
    file = tmp_path / "vmstat"
    file.write_text("nr_free_pages 5\noom_kill 3\n")
    monkeypatch.setattr(deaths, "_VMSTAT", file)
    return file


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("pass", "exited with status 0"),
        ("raise SystemExit(3)", "exited with status 3"),
        ("import os; os.kill(os.getpid(), 11)", "was killed by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    ],
)
def test_ends_of_processes(code: str, told: str, vmstat: Path) -> None:
    watch = Watch()
    assert watch.told(subprocess.run([sys.executable, "-c", code], check=False).returncode) == told


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert Watch().told(-1_000) == "was killed by signal 1000"


def test_a_kill_while_the_system_ran_out_of_memory_may_be_its_own(vmstat: Path) -> None:
    watch = Watch()
    vmstat.write_text("oom_kill 4\n")
    assert watch.told(-SIGKILL) == (
        "was killed by SIGKILL, perhaps by the system, which ran out of memory"
    )
    assert watch.told(-SIGSEGV) == "was killed by SIGSEGV"
    assert Watch().told(-SIGKILL) == "was killed by SIGKILL"


@pytest.mark.parametrize("content", ["", "oom_kill many\n"])
def test_a_system_that_does_not_say_has_killed_nobody(vmstat: Path, content: str) -> None:
    vmstat.write_text(content)
    watch = Watch()
    vmstat.unlink()
    assert watch.told(-SIGKILL) == "was killed by SIGKILL"
