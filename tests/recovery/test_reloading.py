"""Edits under `serve --reload` take effect for new executions, and lose none that runs.

Proven with a real server whose module is edited while it serves: what runs goes on with the code
that it began with, also after it has left memory; an edit that cannot be loaded takes nothing away,
and is said at once, with its place; code that has been edited too often goes, what ran on it does
not; under load every execution runs on one version of the code, and none is lost or fails.
"""

import asyncio
from pathlib import Path
from typing import Any

from perdure.engine.generations import KEPT
from perdure.worker.host import CACHED
from tests.support.servers import Api, Server, server, until, until_true

FLOW = """
import asyncio
from pathlib import Path
from perdure import task, wait_for_event, workflow

@task
async def says() -> str:
    return "VERSION"

@task
async def says_slowly(gate: str) -> str:
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
    return "VERSION"

@workflow(id="waits")
async def waits() -> list[str]:
    return [await says(), await wait_for_event("go", type=str), await says()]

@workflow(id="quick")
async def quick() -> list[str]:
    return ["VERSION", await says(), await says()]

@workflow(id="slow")
async def slow(gate: str) -> list[str]:
    return ["VERSION", await says_slowly(gate), await says()]
"""
HANGING = FLOW + "\nimport time\nPath('hangs').touch()\nwhile True:\n    time.sleep(1)\n"
DYING = FLOW + "\nimport os\nos._exit(3)\n"


def edit(served: Server, version: str, source: str = FLOW) -> None:
    """Save the module anew, as an editor does."""
    saved = served.folder / "saved"
    saved.write_text(source.replace("VERSION", version))
    saved.replace(served.folder / "flow.py")


def serving(folder: Path) -> Any:
    """A server of the first version."""
    (folder / "flow.py").write_text(FLOW.replace("VERSION", "1"))
    return server(folder, folder / "flow.py", options=["--reload"])


async def until_said(served: Server, what: str) -> None:
    await until_true(lambda: what in served.output, f"it says {what!r}")


async def until_served(served: Server, version: str) -> None:
    """Wait until new executions run on a version."""

    async def new() -> bool:
        return bool((await served.api.run("quick"))["result"] == [version] * 3)

    assert await until(new, f"version {version} is served")


async def begun(api: Api) -> str:
    """An execution that waits for its event."""
    execution_id = await api.start("waits")

    async def waits() -> bool:
        return bool((await api.execution(execution_id))["waiting_for"])

    assert await until(waits, "it waits for its event")
    return execution_id


async def result_after_event(api: Api, execution_id: str) -> Any:
    assert (await api.send_event(execution_id, "go", "go")).status_code == 202
    whole = await api.until_status(execution_id, "completed", "failed", "paused")
    assert (whole["status"], whole["error"]) == ("completed", None), whole
    return whole["result"]


async def test_new_executions_take_the_new_code_and_what_runs_keeps_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        first = await begun(served.api)
        edit(served, "2")
        await until_served(served, "2")
        second = await begun(served.api)
        edit(served, "3")
        await until_served(served, "3")
        third = await begun(served.api)
        for number, execution_id in enumerate((first, second, third), 1):
            expected = [str(number), "go", str(number)]
            assert await result_after_event(served.api, execution_id) == expected
        said = [x for x in served.output.splitlines() if x.startswith("reloaded")]
        assert said == ["reloaded after an edit of flow.py: quick 1, slow 1"] * 2
        assert await served.stop() == 0


async def test_what_has_left_memory_finds_its_code_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        api = served.api
        execution_id = await begun(api)
        await asyncio.gather(*(api.start("waits") for _ in range(CACHED)))  # it keeps no more
        await begun(api)
        edit(served, "2")
        await until_served(served, "2")
        assert await result_after_event(api, execution_id) == ["1", "go", "1"]


async def test_what_cannot_be_loaded_takes_nothing_away(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        execution_id = await begun(served.api)
        module = served.folder / "flow.py"
        edit(served, "2", FLOW + "def half(\n")
        line = FLOW.count("\n") + 1
        await until_said(served, f"{module}:{line}: SyntaxError: ")
        assert (await served.api.run("quick"))["result"] == ["1"] * 3
        edit(served, "2", "import nowhere\n" + FLOW)
        await until_said(served, f"{module}:1: ModuleNotFoundError: ")
        edit(served, "2", DYING)
        await until_said(served, "the worker died while it loaded the code (exited with status 3)")
        assert (await served.api.run("quick"))["result"] == ["1"] * 3
        edit(served, "2", HANGING)
        await until_true((served.folder / "hangs").exists, "it is being loaded")
        module.unlink()
        await until_said(served, "there is no such file or folder")
        assert (await served.api.run("quick"))["result"] == ["1"] * 3
        edit(served, "3")
        await until_served(served, "3")
        assert await result_after_event(served.api, execution_id) == ["1", "go", "1"]


async def test_code_that_was_edited_too_often_goes_and_what_ran_on_it_does_not(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    async with serving(tmp_path) as served:
        waits = await begun(served.api)
        slow = await served.api.start("slow", gate=str(gate))
        for version in range(2, KEPT + 3):
            edit(served, str(version))
            await until_served(served, str(version))
        newest = str(KEPT + 2)
        # The task that runs ends where it is, on a worker that owns nothing any more.
        gate.touch()
        whole = await served.api.until_status(slow, "completed", "failed", "paused")
        assert whole["result"] == [newest, "1", newest], whole
        assert await result_after_event(served.api, waits) == ["1", "go", newest]
        await until_true(lambda: len(served.workers()) == KEPT + 1, "workers that are left")


async def test_edits_under_load(tmp_path: Path) -> None:
    edits = 6
    async with serving(tmp_path) as served:
        results: list[list[str]] = []
        running = True

        async def client() -> None:
            while running:
                whole = await served.api.run("quick")
                assert whole["status"] == "completed", whole
                results.append(whole["result"])

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(client())
            for version in range(2, edits + 2):
                edit(served, str(version), FLOW if version % 3 else FLOW + "def half(\n")
                edit(served, str(version))
                await until_true(
                    lambda version=version: [str(version)] * 3 in results,  # type: ignore[misc]
                    f"version {version} is served",
                )
            running = False
        assert all(len(set(result)) == 1 for result in results)
        assert len(results) > 10 * edits
