"""Results and arguments that cannot be kept: an error says what, where, and what to do."""

import asyncio
from pathlib import Path

from tests.acceptance.executions import STANDARD
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_values.py"

NOWHERE = ("", "")
WHAT_IS_SAID = {
    "object": ("Opaque is no type that JSON has", ("", "/value")),
    "nested object": ("Opaque is no type that JSON has", ("/a/0", "/value/a/0")),
    "bytes keys": ("is no string", ("/", "/value")),
    "int keys": ("key 1", ("/", "/value")),
    "set of objects": ("Opaque is no type that JSON has", ("/0", "/value/0")),
    "nan": ("nan", ("/values/1", "/value/values/1")),
    "infinity": ("-inf", ("/", "/value")),
    "too large": ("a value may have 2,097,152: store it elsewhere and pass a reference", NOWHERE),
    "too deep": ("is nested too deeply, or contains itself", NOWHERE),
    "circular": ("is nested too deeply, or contains itself", NOWHERE),
    "function": ("function is no type that JSON has", ("", "/value")),
    "broken text": ("surrogates not allowed", ("", "/value")),
}
"""What an error says of it, and where it is: in a result, and in an argument called `value`."""
WHERE = {
    "task-returns": ("the result of task returns ", "/returns"),
    "thread-returns": ("the result of task returns_in_a_thread ", "/returns_in_a_thread"),
    "process-returns": ("the result of task returns_in_a_process ", "/returns_in_a_process"),
    "workflow-returns": ("the result of workflow workflow-returns ", ""),
    "passes": ("the arguments of task takes ", ""),
}


async def check(api: Api, workflow: str, kind: str) -> None:
    execution = await api.run(workflow, kind=kind)
    assert execution["status"] == "failed", (workflow, kind)
    error = execution["error"]
    what, instance = WHERE[workflow]
    assert error["type"] == STANDARD + "validation"
    assert error["instance"] == instance
    assert error["detail"].startswith(what), (workflow, kind)
    said, places = WHAT_IS_SAID[kind]
    place = places[workflow == "passes"]
    assert said in error["detail"], error["detail"]
    assert f" at {place}" in error["detail"] or not place, error["detail"]


async def test_what_has_no_json(tmp_path: Path) -> None:
    """From tasks on the loop, in threads and in processes, from workflows, and to tasks."""
    async with server(tmp_path, MODULE) as its:
        workers = its.workers()
        for workflow in WHERE:
            await asyncio.gather(*(check(its.api, workflow, kind) for kind in WHAT_IS_SAID))
        execution = await its.api.run("wrong-type")
        assert execution["error"]["detail"] == (
            "the result of task promises_a_number does not fit its declared type int: "
            "Expected `int`, got `str`"
        )
        assert its.workers() == workers
