"""`run workflow`: runs another workflow as a child.

What `run.return` says of processes is read thus: ``stdout`` is the child's output, ``none`` is
null, ``all`` is ``{code: 0, stdout: output, stderr: ""}``, ``code`` is 0 and ``stderr`` is empty,
for a child that does not complete is an error of this task.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import effects
from perdure.openworkflow import types as t
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.running import Definition, Directive, Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.RunWorkflowTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The child; where it is not awaited the output is the task's input."""
    process = task.run.workflow
    awaited, returned = task.run.await_, task.run.return_
    is_default = process.namespace == "default"
    workflow_id = process.name if is_default else f"{process.namespace}.{process.name}"
    version = None if process.version == "latest" else process.version
    inputs = compiler.tree(process.input, sites.TASK_DEFINITION, place)

    async def run(frame: Frame) -> tuple[Any, Directive | None]:
        value = await inputs.evaluate(frame, frame.input)
        body = effects.encoded(value, f"the input of workflow {workflow_id}")
        if not awaited:
            await effects.start_child(frame.position, workflow_id, version, body)
            return frame.input, None
        output = await effects.run_child(frame.position, workflow_id, version, body)
        return _returned(returned, output), None

    return run


def _returned(what: str, output: Any) -> Any:
    if what == "stdout":
        return output
    result = {"code": 0, "stdout": output, "stderr": ""}
    return result if what == "all" else result.get(what)
