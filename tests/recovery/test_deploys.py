"""Code that changes under executions destroys nothing (promise 4).

Proven with real servers whose modules are edited between two starts: an execution whose code asks
for something else than it has recorded is held, wherever it stood, as is one whose version nobody
serves, whose module does not load, or whose recorded values no longer decode. It goes on to its
undisturbed result once fitting code is served and it is resumed. `patched` takes old executions
the old way and new ones the new way. What cannot be loaded is said, and harms nothing else.
"""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from tests.support.records import Records
from tests.support.servers import Server, server, until, until_true

ORDER = """
from perdure import patched, task, wait_for_event, workflow

@task
async def reserve(item: str) -> str:
    return item + " reserved"

@task
async def ship(item: str) -> str:
    return item + ", shipped"

@task
async def audit(item: str) -> str:
    return item + ", audited"

@workflow(id="order", version="1")
async def order(item: str) -> str:
    reserved = await reserve(item)
    word = await wait_for_event("word", type=str)
    return await ship(f"{reserved}, {word}")
"""
"""Served by all tests; each changes it in its own way."""
UNDISTURBED = "a book reserved, go, shipped"

DISAGREEING = {
    "another-task-between": ("    word =", "    reserved = await audit(reserved)\n    word ="),
    "another-event": ('wait_for_event("word"', 'wait_for_event("name"'),
    "a-task-that-is-gone": ("await reserve(item)", '"nothing"'),
    "another-name": ("reserve(", "book("),
    "another-type": ('str:\n    return item + " reserved"', "int:\n    return 5"),
    "another-input": ("order(item: str)", "order(item: int)"),
    "an-end-between": ("    word =", "    return reserved\n    word ="),
}
"""What is replaced, and by what: changes that do not fit an execution which waits for its event."""
WHERE = {
    "another-task-between": "/event:word",
    "another-event": "/event:word",
    "an-end-between": "/event:word",
    "another-input": "",
}
"""The recorded position at which each disagrees; `/reserve` where it is not named."""


def serving(folder: Path, **files: str) -> AbstractAsyncContextManager[Server]:
    """A server of a folder of modules that are edited."""
    deploy(folder, **files)
    # Python knows compiled modules by the second in which their source was written.
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    return server(folder, folder / "flows", environ=environ)


def deploy(folder: Path, **files: str) -> None:
    """Write the sources of modules, by their names."""
    (folder / "flows").mkdir(exist_ok=True)
    for name, source in files.items():
        (folder / "flows" / f"{name}.py").write_text(source)


async def restart(served: Server) -> None:
    """Stop in order, and start with what is there now."""
    assert await served.stop() == 0
    await served.start()


async def start_order(served: Server, workflow_id: str = "order", **options: Any) -> str:
    """Start an order; returns once it waits for its event."""
    execution_id = await served.api.start(workflow_id, item="a book", **options)

    async def waits() -> bool:
        return bool((await served.api.execution(execution_id))["waiting_for"])

    assert await until(waits, "it waits for its event")
    return execution_id


async def send_word(served: Server, execution_id: str) -> None:
    response = await served.api.send_event(execution_id, "word", "go")
    assert response.status_code == 202, response.text


async def resume(served: Server, execution_id: str) -> None:
    response = await served.api.control(execution_id, "resume")
    assert response.status_code == 200, response.text


async def announced(served: Server, said: str) -> None:
    """Wait until the server has said this at its start."""
    await until_true(lambda: said in served.output, f"it says {said}")


async def result(served: Server, execution_id: str) -> Any:
    """Wait for an execution to complete; its result."""
    whole = await served.api.until_status(execution_id, "completed", "failed", "paused")
    assert (whole["status"], whole["error"]) == ("completed", None), whole
    return whole["result"]


async def held(served: Server, execution_id: str, kind: str) -> dict[str, Any]:
    """Wait until an execution is held; its error. It is not failed, and its log says why."""
    whole = await served.api.until_status(execution_id, "paused", "failed", "completed")
    assert whole["status"] == "paused", whole
    error = whole["error"]
    assert isinstance(error, dict)
    assert error["type"] == f"urn:perdure:error:{kind}", whole
    assert (whole["result"], whole["completed_at"]) == (None, None)
    logs = await served.api.logs(execution_id)
    assert any(line["message"].startswith("held: ") for line in logs), logs
    return error


def recorded(served: Server, execution_id: str) -> object:
    """All of an execution's journal."""
    records = Records(served.data)
    try:
        return records.batches(records.row(execution_id))
    finally:
        records.close()


# -- disagreeing -----------------------------------------------------------------------------------


async def test_what_disagrees_is_held_until_fitting_code_is_back(tmp_path: Path) -> None:
    fitting = {name: ORDER.replace('id="order"', f'id="{name}"') for name in DISAGREEING}
    changed = {name: fitting[name].replace(*DISAGREEING[name]) for name in DISAGREEING}
    assert all(changed[name] != fitting[name] for name in DISAGREEING)
    async with serving(tmp_path, **fitting) as served:
        orders = {name: await start_order(served, name) for name in DISAGREEING}
        before = {name: recorded(served, orders[name]) for name in DISAGREEING}

        deploy(tmp_path, **changed)
        await restart(served)
        for name, execution_id in orders.items():
            await send_word(served, execution_id)
            error = await held(served, execution_id, "disagreement")
            assert error["instance"] == WHERE.get(name, "/reserve"), (name, error)
            assert error["detail"]
            assert recorded(served, execution_id) == before[name], "holding changes no record"

        for execution_id in orders.values():
            await resume(served, execution_id)
        for execution_id in orders.values():
            await held(served, execution_id, "disagreement")

        deploy(tmp_path, **fitting)
        await restart(served)
        for execution_id in orders.values():
            assert (await served.api.execution(execution_id))["status"] == "paused"
            await resume(served, execution_id)
            assert await result(served, execution_id) == UNDISTURBED


async def test_what_was_at_work_at_a_crash_is_held_too(tmp_path: Path) -> None:
    endless = ORDER.replace('return item + " reserved"', "await asyncio.sleep(60)")
    async with serving(tmp_path, flows=f"import asyncio\n{endless}") as served:
        at_work = await served.api.start("order", item="a book")

        async def runs() -> bool:
            return bool((await served.api.execution(at_work))["current_tasks"])

        assert await until(runs, "its task runs")
        await served.kill()
        deploy(tmp_path, flows=ORDER.replace("reserve(", "book("))
        await served.start()
        assert (await held(served, at_work, "disagreement"))["instance"] == "/reserve"
        response = await served.api.control(at_work, "cancel")
        assert response.status_code == 200
        assert response.json()["status"] == "cancelled"


# -- changes that fit ------------------------------------------------------------------------------


async def test_patched_lets_code_change_under_executions(tmp_path: Path) -> None:
    patched = ORDER.replace(
        "    word =",
        '    if patched("audit"):\n        reserved = await audit(reserved)\n    word =',
    )
    async with serving(tmp_path, flows=ORDER) as served:
        old = await start_order(served)
        deploy(tmp_path, flows=patched)
        await restart(served)
        new = await start_order(served)
        await restart(served)
        await send_word(served, old)
        await send_word(served, new)
        assert await result(served, old) == UNDISTURBED
        assert await result(served, new) == "a book reserved, audited, go, shipped"
        assert [task["name"] for task in await served.api.tasks(old)] == ["reserve", "ship"]
        assert [task["name"] for task in await served.api.tasks(new)] == [
            "reserve",
            "audit",
            "ship",
        ]


async def test_code_after_the_record_may_change(tmp_path: Path) -> None:
    async with serving(tmp_path, flows=ORDER) as served:
        waiting = await start_order(served)
        deploy(tmp_path, flows=ORDER.replace("await ship(f", "await audit(f"))
        await restart(served)
        await send_word(served, waiting)
        assert await result(served, waiting) == "a book reserved, go, audited"


# -- versions and modules that are not served ------------------------------------------------------


async def test_a_version_that_nobody_serves_is_waited_for(tmp_path: Path) -> None:
    second = ORDER.replace('version="1"', 'version="2"').replace("shipped", "sent")
    async with serving(tmp_path, flows=ORDER) as served:
        old = await start_order(served)
        deploy(tmp_path, flows=second)
        await restart(served)
        await send_word(served, old)
        error = await held(served, old, "unserved")
        assert "version '1' of workflow 'order'" in error["detail"]
        new = await start_order(served)
        refused = await served.api.execute("order", version="1", item="a book")
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_version")

        deploy(tmp_path, older=ORDER)
        await restart(served)
        await resume(served, old)
        assert await result(served, old) == UNDISTURBED
        await send_word(served, new)
        assert await result(served, new) == "a book reserved, go, sent"
        third = await start_order(served, version="1")
        assert (await served.api.execution(third))["workflow_version"] == "1"


async def test_a_module_that_does_not_load_harms_no_other(tmp_path: Path) -> None:
    other = ORDER.replace('id="order"', 'id="other"')
    async with serving(tmp_path, flows=ORDER, other=other) as served:
        of_broken = await start_order(served)
        of_other = await start_order(served, "other")
        deploy(tmp_path, flows=f"import no_such_module\n{ORDER}")
        await restart(served)
        file = tmp_path / "flows" / "flows.py"
        said = f"{file}:1: ModuleNotFoundError: No module named 'no_such_module'"
        await announced(served, f"not loaded: {file}\n  {said}")
        listed = (await served.api.http.get("/api/workflows")).json()
        assert [each["workflow_id"] for each in listed["workflows"]] == ["other"]
        assert listed["problems"] == [said]
        refused = await served.api.execute("order", item="a book")
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_workflow")

        await send_word(served, of_broken)
        await held(served, of_broken, "unserved")
        await send_word(served, of_other)
        assert await result(served, of_other) == UNDISTURBED
        new = await start_order(served, "other")
        await send_word(served, new)
        assert await result(served, new) == UNDISTURBED

        deploy(tmp_path, flows=ORDER)
        await restart(served)
        await resume(served, of_broken)
        assert await result(served, of_broken) == UNDISTURBED


async def test_a_workflow_that_is_named_twice_is_said(tmp_path: Path) -> None:
    async with serving(tmp_path, one=ORDER, two=f"# another\n{ORDER}") as served:
        one, two = tmp_path / "flows" / "one.py", tmp_path / "flows" / "two.py"
        said = (
            f"workflow order version 1 is declared twice, at {one}:16 and at {two}:17: give one "
            "another id or version"
        )
        await announced(served, f"not loaded: {two}\n  {said}")
        listed = (await served.api.http.get("/api/workflows")).json()
        assert [each["workflow_id"] for each in listed["workflows"]] == ["order"]
        assert listed["problems"] == [f"{two}: {said}"]
        execution_id = await start_order(served)
        await send_word(served, execution_id)
        assert await result(served, execution_id) == UNDISTURBED
