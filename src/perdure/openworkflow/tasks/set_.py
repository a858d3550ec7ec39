"""`set`: makes data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import types as t
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.running import Definition, Directive, Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.SetTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The data, evaluated for the task's input."""
    data = compiler.tree(task.set, sites.TASK_DEFINITION, place)

    async def set_(frame: Frame) -> tuple[Any, Directive | None]:
        return await data.evaluate(frame, frame.input), None

    return set_
