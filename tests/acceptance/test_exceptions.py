"""Whatever is raised, in tasks and in workflow code: that execution fails, and nothing else."""

import asyncio
from pathlib import Path

from tests.support.served.hostile_values import RAISES
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_values.py"

WORKFLOWS = (
    "raises",
    "raises-later",
    "raises-in-a-thread",
    "raises-in-a-process",
    "raises-in-its-code",
    "raises-in-its-code-later",
    "raises-in-a-branch",
)
TITLES = {
    "unprintable": "UnprintableError",
    "exiting": "ExitingError",
    "wrong text": "WrongTextError",
    "broken text": "ValueError",
    "nul": "ValueError",
    "huge": "ValueError",
    "closed": "ClosedError",
    "base": "OddBaseError",
    "StopIteration": "RuntimeError",
    "group": "BaseExceptionGroup",
    "caused": "ValueError",
    "chained": "ValueError",
    "odd failure": "7",
    "no failure": "UnfinishedError",
}
"""By what was raised, where it is not its own name."""


async def check(api: Api, workflow: str, what: str) -> None:
    execution = await api.run(workflow, what=what)
    assert execution["status"] == "failed", (workflow, what)
    error = execution["error"]
    titles = {TITLES.get(what, what)}
    if what == "StopIteration":
        titles.add(what)  # only in coroutines does Python make a RuntimeError of it
    assert error["title"] in titles, (workflow, what, error)
    assert len(error["detail"]) < 20_000
    if what == "broken text":
        assert error["detail"] == "half a pair: \\ud800"
    if what == "huge":
        assert error["detail"].endswith(" more characters)")


async def test_whatever_is_raised(tmp_path: Path) -> None:
    """Messages that cannot be had, or are no text, or huge; exceptions that are no Exception."""
    async with server(tmp_path, MODULE) as its:
        api = its.api
        workers = its.workers()
        innocent = await api.start("innocent", seconds=2.0)
        for workflow in WORKFLOWS:
            await asyncio.gather(*(check(api, workflow, what) for what in RAISES))
        await api.until_status(innocent, "completed")
        assert (await api.run("quick"))["status"] == "completed"
        assert its.workers() == workers
