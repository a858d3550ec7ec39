"""`wait`: lets time pass, durably. The output is the task's input."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import effects
from perdure.openworkflow import types as t
from perdure.openworkflow.running import Definition, Directive, Frame

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.WaitTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The wait, from the time of the last event on."""
    length = compiler.length(task.wait, place)

    async def wait(frame: Frame) -> tuple[Any, Directive | None]:
        length_ms = await length.milliseconds(frame, frame.input)
        if length_ms:
            await effects.wait(frame.run.machine, frame.position, length_ms)
        return frame.input, None

    return wait
