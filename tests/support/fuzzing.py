"""schemathesis against a real server over HTTP: requests made up from its OpenAPI document.

All checks are on: no fault of the server, statuses, headers and bodies as declared, what does not
fit its schema refused, what fits accepted, no answer without the key.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import schemathesis_hooks
from tests.support.servers import ADMIN_KEY, SERVED, Server

MODULE = SERVED / "fuzzed.py"
_ROOT = Path(__file__).parents[2]
_REQUEST_TIMEOUT_S = 70
"""Longer than the server may wait for an end."""


@dataclass
class Findings:
    """What came of it: how often each status was answered, and the reports of what is wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    reports: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self.statuses.total()


async def fuzz(its: Server, findings: Findings, *, examples: int, seed: int) -> None:
    """One run: `examples` bound the requests that are made up for each operation and phase."""
    (its.folder / "schemathesis.toml").write_text(f'auth.openapi.bearer.bearer = "{ADMIN_KEY}"\n')
    counts = its.folder / "counts.json"
    environ = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": schemathesis_hooks.__name__,
        schemathesis_hooks.COUNTS_VARIABLE: str(counts),
        "PYTHONPATH": str(_ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"http://127.0.0.1:{its.port}/openapi.json",
        "--checks=all",
        f"--seed={seed}",
        f"--max-examples={examples}",
        f"--request-timeout={_REQUEST_TIMEOUT_S}",
        "--continue-on-failure",
        "--no-color",
        "--warnings=off",
        cwd=its.folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        findings.reports.append(output.decode(errors="replace"))
    if counts.exists():
        answered = json.loads(counts.read_text())
        findings.statuses += Counter({int(status): count for status, count in answered.items()})
        counts.unlink()
    if not its.is_alive or "Traceback" in its.output:
        findings.reports.append(its.output)
