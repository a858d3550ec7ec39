"""`emit`: makes an event (CloudEvents 1.0), records it, and puts it out.

What the document does not say has a default: `id` a random UUID, `time` that of the last event of
the execution, `source` the workflow, ``/{namespace}/{name}/{version}``. What is no CloudEvent is an
expression error.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perdure.openworkflow import effects, events
from perdure.openworkflow import types as t
from perdure.openworkflow.descriptors import moment
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.running import Definition, Directive, Frame
from perdure.openworkflow.templates import Uri

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place

_URIS = ("source", "dataschema")


def define(
    task: t.EmitTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The event, evaluated for the task's input."""
    given = task.emit.event.with_
    uris = {name: Uri(given[name], compiler, place) for name in _URIS if name in given}
    texts = {name: value for name, value in given.items() if name not in uris}
    others = compiler.tree(texts, sites.TASK_DEFINITION, place)
    header = compiler.document.document
    source = f"/{header.namespace}/{header.name}/{header.version}"

    async def emit(frame: Frame) -> tuple[Any, Directive | None]:
        machine = frame.run.machine
        attributes = {
            "specversion": events.VERSION,
            "source": source,
            "time": moment(machine.time),
            **await others.evaluate(frame, frame.input),
        }
        for name, uri in uris.items():
            attributes[name] = await uri.evaluate(frame, frame.input)
        if "id" not in attributes:
            attributes["id"] = str(machine.randomness.uuid4())
        event = effects.encoded(events.event(attributes), f"the event of task {frame.name}")
        return await effects.record(frame.position, frame.name, event), None

    return emit
