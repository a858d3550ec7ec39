"""`do`: tasks one after another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import types as t
from perdure.openworkflow.running import Definition, Directive, Frame
from perdure.openworkflow.sequences import outward

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.DoTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The tasks, the first with the task's input; the output is the last one's."""
    tasks = compiler.sequence(task.do, place.within())

    async def do(frame: Frame) -> tuple[Any, Directive | None]:
        output, directive = await tasks.run(
            frame.run, frame.scope, f"{frame.position}/do", frame.input
        )
        return output, outward(directive)

    return do
