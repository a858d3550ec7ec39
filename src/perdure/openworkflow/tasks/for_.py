"""`for`: tasks for each item of a collection.

The first iteration has the task's input, each later one the output of the one before; the task's
output is the last one's. `while` is evaluated before each iteration, on what that would have, and
sees its item and index. An ``exit`` ends an iteration.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.model import failure as failures
from perdure.openworkflow import types as t
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import sites, truthy
from perdure.openworkflow.running import END, WORK_LIMIT, Definition, Directive, Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.ForTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The loop; ``in`` has to result in an array."""
    each, at = task.for_.each, task.for_.at
    inside = place.within(each, at)
    collection = compiler.field(task.for_.in_, sites.TASK_DEFINITION, place)
    condition = compiler.expression(task.while_, sites.TASK_DEFINITION, inside)
    tasks = compiler.sequence(task.do, inside)
    assert collection is not None

    async def loop(frame: Frame) -> tuple[Any, Directive | None]:
        run, outer, position = frame.run, frame.scope, f"{frame.position}/do"
        value = frame.input
        items = await collection.evaluate(frame, value)
        if not isinstance(items, list):
            detail = f"'for.in' has to result in an array, not in {_kind(items)}"
            raise WorkflowError(failures.expression(detail))
        for index, item in enumerate(items):
            scope = outer.binding({each: item, at: index})
            place = f"{position}@{index}" if index else position
            run.work += 1
            if run.work > WORK_LIMIT:
                await run.checkpoint(place, value)
            if condition is not None:
                frame.scope = scope
                goes_on = truthy(await condition.evaluate(frame, value))
                frame.scope = outer
                if not goes_on:
                    break
            value, directive = await tasks.run(run, scope, place, value)
            if directive == END:
                return value, END
        return value, None

    return loop


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")
