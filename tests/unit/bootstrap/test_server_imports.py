"""The server holds nothing of what only workers need: it starts sooner, and is smaller."""

import subprocess
import sys

PROGRAM = """
import sys
import perdure.bootstrap.server
print(*sys.modules)
"""
OF_WORKERS = {
    "httpx",
    "jq",
    "perdure.bootstrap.worker",
    "perdure.calls.http",
    "perdure.openworkflow",
    "perdure.worker.assembly",
}


def test_the_server_imports_nothing_of_its_workers() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "perdure.engine.engine" in printed
    assert OF_WORKERS.isdisjoint(printed), OF_WORKERS.intersection(printed)
