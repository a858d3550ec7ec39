"""`raise`: raises an error."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from perdure.model import failure as failures
from perdure.model.exceptions import DefinitionError
from perdure.model.failure import Failure, recordable
from perdure.model.position import instance
from perdure.openworkflow import types as t
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.running import Definition, Directive, Frame
from perdure.openworkflow.templates import Uri

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.RaiseTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The error, its texts evaluated for the task's input; it is placed at the task by default."""
    error = task.raise_.error
    if isinstance(error, str):
        if error not in compiler.use.errors:
            raise DefinitionError(f"use.errors has no {error!r}")
        error = compiler.use.errors[error]
    status = error.status
    type_ = Uri(error.type, compiler, place)
    texts = compiler.tree(
        {"title": error.title, "detail": error.detail, "instance": error.instance},
        sites.TASK_DEFINITION,
        place,
    )

    async def raise_(frame: Frame) -> tuple[Any, Directive | None]:
        type_text = await type_.evaluate(frame, frame.input)
        if not type_text:
            raise WorkflowError(failures.expression("the type of the error to raise is empty"))
        values = await texts.evaluate(frame, frame.input)
        failure = Failure(
            type=type_text,
            status=status,
            title=_text(values["title"]),
            detail=_text(values["detail"]),
            instance=_text(values["instance"]) or instance(frame.position),
        )
        raise WorkflowError(recordable(failure))

    return raise_


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()
