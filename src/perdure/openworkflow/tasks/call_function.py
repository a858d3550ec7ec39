"""`call` of a function of the document: runs its task.

The function's input is what `with` results in; without `with` it is the call's own input. Its
tasks are addressed below the call, at ``call``. They see the context, not the variables of loops
and catches around the call. What its task says of what comes next counts only where it is ``end``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.model import failure as failures
from perdure.openworkflow import types as t
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.running import DEPTH_LIMIT, Definition, Directive, Frame, Scope
from perdure.openworkflow.sequences import outward

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.CallFunctionTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The call. Functions that call one another without end raise a runtime error."""
    name = task.call
    function = compiler.function(name)
    given = "with" in task.definition
    arguments = compiler.tree(task.with_, sites.TASK_DEFINITION, place)
    levels = place.depth + 1

    async def call(frame: Frame) -> tuple[Any, Directive | None]:
        depth = frame.scope.depth + levels
        if depth > DEPTH_LIMIT:
            detail = f"function {name} is called more than {DEPTH_LIMIT} levels deep"
            raise WorkflowError(failures.runtime(detail, title="Nested too deeply"))
        value = await arguments.evaluate(frame, frame.input) if given else frame.input
        scope = Scope({}, extended=frame.scope.extended, depth=depth)
        output, directive = await function[0].run(frame.run, scope, f"{frame.position}/call", value)
        return output, outward(directive)

    return call
