"""`try`: tasks whose errors are caught, tried again and handled.

An error is caught where `errors.with` fits it, `when` holds for it and `exceptWhen` does not. Then
the whole list is tried again as long as `retry` allows. After that the error is handled: by
`catch.do`, whose output is the task's, or by going where `catch.then` says; without either it is
forgotten, and the task's output is its input. Where a retry policy ran out and neither is there,
the error is raised again: a policy alone is to overcome an error, not to hide it.
"""

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from perdure.model.exceptions import FailedError
from perdure.openworkflow import types as t
from perdure.openworkflow.catching import ErrorMatcher, described
from perdure.openworkflow.expressions import sites, truthy
from perdure.openworkflow.retrying import Retrying
from perdure.openworkflow.running import END, WORK_LIMIT, Definition, Directive, Frame
from perdure.openworkflow.sequences import outward

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place


def define(
    task: t.TryTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
) -> Definition:
    """The list, and what is done about its errors."""
    return _Try(task, compiler, place, targets).run


class _Try:
    """A compiled `try`."""

    def __init__(
        self, task: t.TryTask, compiler: "Compiler", place: "Place", targets: Mapping[str, int]
    ) -> None:
        catch = task.catch
        caught = place.within(catch.as_)
        site = sites.TASK_DEFINITION
        self._tasks = compiler.sequence(task.try_, place.within())
        self._matcher = ErrorMatcher(catch.errors.with_ if catch.errors else None)
        self._as = catch.as_
        self._when = compiler.expression(catch.when, site, caught)
        self._except_when = compiler.expression(catch.except_when, site, caught)
        self._retrying = Retrying(catch.retry, compiler, caught) if catch.retry else None
        self._handler = compiler.sequence(catch.do, caught) if catch.do is not None else None
        self._then = compiler.directive(catch.then, targets) if catch.then else None

    async def run(self, frame: Frame) -> tuple[Any, Directive | None]:
        """Try until it succeeds, or the error is to be handled or raised."""
        outer = frame.scope
        since_ms: int | None = None
        retry = 0
        while True:
            try:
                output, directive = await self._attempt(frame, retry)
                return output, outward(directive)
            except FailedError as raised:
                error = raised
            if not self._matcher.matches(error.failure):
                raise error
            frame.scope = outer.binding({self._as: described(error.failure)})
            if not await self._catches(frame):
                raise error
            if since_ms is None:
                since_ms = frame.run.machine.time
            retry += 1
            goes_on = self._retrying is not None and await self._retrying.waits(
                frame, retry, since_ms
            )
            handled = None if goes_on else await self._handle(frame, error)
            frame.scope = outer
            if handled is not None:
                return handled
            frame.run.visits += 1
            frame.run.work += 1
            if frame.run.work > WORK_LIMIT:
                await frame.run.checkpoint(self._round(frame, retry), frame.input)

    async def _attempt(self, frame: Frame, retry: int) -> tuple[Any, Directive]:
        position = self._round(frame, retry)

        def call() -> Coroutine[Any, Any, tuple[Any, Directive]]:
            return self._tasks.run(frame.run, frame.scope, position, frame.input)

        if self._retrying is None or not retry:
            return await call()
        return await self._retrying.attempt(frame, position, call)

    def _round(self, frame: Frame, retry: int) -> str:
        return f"{frame.position}/try@{retry}" if retry else f"{frame.position}/try"

    async def _catches(self, frame: Frame) -> bool:
        value = frame.input
        if self._when is not None and not truthy(await self._when.evaluate(frame, value)):
            return False
        return self._except_when is None or not truthy(
            await self._except_when.evaluate(frame, value)
        )

    async def _handle(self, frame: Frame, error: FailedError) -> tuple[Any, Directive | None]:
        if self._handler is None:
            if self._retrying is not None and self._then is None:
                raise error
            return frame.input, self._then
        position = f"{frame.position}/catch/do"
        output, directive = await self._handler.run(frame.run, frame.scope, position, frame.input)
        return output, END if directive == END else self._then
