"""Visits of tasks: the data flow around what a kind of task does (dsl.md, Data Flow).

In this order: `if` on the raw input; `input.schema`, `input.from`; the definition, with what
extends it around; `output.as`, `output.schema`; `export.as`, `export.schema`. A task whose `if`
does not hold passes its raw input on, and its `then` is not followed.

An error that leaves a visit has a place: the innermost task's, unless it had one before.
"""

from collections.abc import Mapping
from typing import Any

from perdure.machine.uncaught import failure_of
from perdure.model.exceptions import DisagreementError, FailedError
from perdure.model.position import instance
from perdure.openworkflow.binding import Bound
from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import truthy
from perdure.openworkflow.running import (
    CONTINUE,
    WORK_LIMIT,
    Definition,
    Directive,
    Frame,
    Run,
    Scope,
)
from perdure.openworkflow.schemas import DataSchema
from perdure.openworkflow.timeouts import Limit


class Transformation:
    """What becomes of data on its way: an expression, and a schema for its result or its source."""

    __slots__ = ("expression", "schema")

    def __init__(self, expression: Bound | None, schema: DataSchema | None) -> None:
        self.expression = expression
        self.schema = schema


class CompiledTask:
    """A task as it runs; `segment` is its part of positions, ``/0/getPet``."""

    __slots__ = (
        "_condition",
        "_definition",
        "_export",
        "_input",
        "_limit",
        "_output",
        "_then",
        "_tree",
        "name",
        "segment",
    )

    def __init__(
        self,
        *,
        name: str,
        segment: str,
        tree: Mapping[str, Any],
        definition: Definition,
        condition: Bound | None = None,
        input: Transformation | None = None,
        output: Transformation | None = None,
        export: Transformation | None = None,
        limit: Limit | None = None,
        then: Directive = CONTINUE,
    ) -> None:
        self.name = name
        self.segment = segment
        self._tree = tree
        self._definition = definition
        self._condition = condition
        self._input = input
        self._output = output
        self._export = export
        self._limit = limit
        self._then = then

    async def run(
        self, run: Run, scope: Scope, position: str, raw_input: Any
    ) -> tuple[Any, Directive]:
        """Visit the task at `position`; its transformed output, and what comes next.

        Raises WorkflowError.
        """
        run.visits += 1
        run.work += 1
        frame = Frame(run, scope, position, self.name, self._tree, raw_input)
        try:
            if run.work > WORK_LIMIT:
                await run.checkpoint(position, raw_input)
            condition = self._condition
            if condition is not None and not truthy(await condition.evaluate(frame, raw_input)):
                return raw_input, CONTINUE
            if self._limit is not None:
                return await self._limit.around(frame, lambda: self._flow(frame))
            return await self._flow(frame)
        except FailedError as error:
            if error.failure.instance:
                raise
            raise WorkflowError(error.failure.at(instance(position))) from error
        except DisagreementError:
            raise
        except Exception as error:
            raise WorkflowError(failure_of(error).at(instance(position))) from error

    async def _flow(self, frame: Frame) -> tuple[Any, Directive]:
        if self._input is not None:
            frame.input = await transformed_input(self._input, frame)
        output, directive = await self._definition(frame)
        frame.raw_output = output
        if self._output is not None:
            output = await transformed(self._output, frame, output)
        if self._export is not None:
            frame.output = output
            frame.run.context = await _exported(self._export, frame, output)
        return output, self._then if directive is None else directive


async def transformed_input(transformation: Transformation, frame: Frame) -> Any:
    """The transformed input of a frame. Raises WorkflowError (validation, expression)."""
    raw = frame.raw_input
    if transformation.schema is not None:
        transformation.schema.check(raw)
    if transformation.expression is None:
        return raw
    return await transformation.expression.evaluate(frame, raw)


async def transformed(transformation: Transformation, frame: Frame, value: Any) -> Any:
    """The transformed output. Raises WorkflowError (validation, expression)."""
    if transformation.expression is not None:
        value = await transformation.expression.evaluate(frame, value)
    if transformation.schema is not None:
        transformation.schema.check(value)
    return value


async def _exported(transformation: Transformation, frame: Frame, output: Any) -> Any:
    context = frame.run.context
    if transformation.expression is not None:
        context = await transformation.expression.evaluate(frame, output)
    if transformation.schema is not None:
        transformation.schema.check(context)
    return context
