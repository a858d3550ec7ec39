"""Looking at executions, and at what they have left in files."""

import time
from pathlib import Path
from typing import Any

from tests.support.servers import Api, Server, until, until_true

ENDS = ("completed", "failed", "cancelled")
STANDARD = "https://open-workflow-specification.org/spec/1.0.0/errors/"
OWN = "urn:perdure:error:"


async def ended(api: Api, execution_id: str, *, within_s: float = 30.0) -> dict[str, Any]:
    """Wait for an end: the whole execution, with its log."""
    await api.until_status(execution_id, *ENDS, within_s=within_s)
    return await api.execution(execution_id, logs=1_000)


async def cancelled(api: Api, execution_id: str) -> tuple[dict[str, Any], float]:
    """Cancel an execution: all of it once it is cancelled, and after how many seconds it was."""
    asked_s = time.monotonic()
    response = await api.control(execution_id, "cancel")
    assert response.status_code in (200, 202), response.text
    await api.until_status(execution_id, *ENDS)
    took_s = time.monotonic() - asked_s
    execution = await api.execution(execution_id, logs=1_000)
    assert execution["status"] == "cancelled", execution
    return execution, took_s


def told(execution: dict[str, Any]) -> str:
    """What the log of an execution says, line by line."""
    return "\n".join(line["message"] for line in execution["logs"])


def lines(trace: Path) -> list[str]:
    """What tasks have written into a file; nothing where there is none yet."""
    return trace.read_text().splitlines() if trace.exists() else []


async def begun(trace: Path, count: int = 1) -> None:
    """Wait until tasks have written so many lines."""
    await until_true(lambda: len(lines(trace)) >= count, f"{trace.name} has {count} lines")


async def until_one_worker(server: Server) -> None:
    """Wait until nothing is left but the server and one worker, which may have a keeper."""

    async def alone() -> bool:
        left = [each for each in server.processes().values() if "keeper.py" not in each]
        assert len(left) == 2, left
        assert len(server.workers()) == 1, left
        return True

    await until(alone, "one worker is left, and no other process")
