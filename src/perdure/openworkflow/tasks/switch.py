"""`switch`: goes one of several ways. The output is the task's input."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import types as t
from perdure.openworkflow.expressions import sites, truthy
from perdure.openworkflow.running import Definition, Directive, Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.SwitchTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The first case that matches decides, else the one without `when`, else the task's `then`."""
    cases = [case for named in task.switch for case in named.values()]
    site = sites.TASK_DEFINITION
    conditions = [
        (compiler.expression(case.when, site, place), compiler.directive(case.then, targets))
        for case in cases
    ]
    default = next((then for when, then in conditions if when is None), None)
    conditional = tuple((when, then) for when, then in conditions if when is not None)

    async def switch(frame: Frame) -> tuple[Any, Directive | None]:
        value = frame.input
        for when, then in conditional:
            if truthy(await when.evaluate(frame, value)):
                return value, then
        return value, default

    return switch
