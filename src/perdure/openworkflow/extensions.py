"""Extensions: tasks before and after what a task of some kind does (dsl-reference, Extension).

They stand between the task's transformed input and its raw output. The first task before has the
transformed input, the first one after the raw output; what they put out is discarded, so that a
log call changes nothing, except where one before says ``exit``: then the extended task is left
out, and that output is its raw output. Of several extensions the first declared is the outermost.
`$task` within them is the task that is extended. They are not applied to tasks of extensions.
"""

from typing import TYPE_CHECKING, Any

from perdure.model.position import escape
from perdure.openworkflow import types as t
from perdure.openworkflow.binding import Bound
from perdure.openworkflow.expressions import sites, truthy
from perdure.openworkflow.running import CONTINUE, END, Definition, Directive, Frame, Scope
from perdure.openworkflow.sequences import TaskSequence, outward

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler

_KINDS: dict[type[t.Task], str] = {
    t.CallFunctionTask: "call",
    t.CallHttpTask: "call",
    t.DoTask: "composite",
    t.EmitTask: "emit",
    t.ForTask: "for",
    t.ForkTask: "composite",
    t.RaiseTask: "raise",
    t.RunWorkflowTask: "run",
    t.SetTask: "set",
    t.SwitchTask: "switch",
    t.TryTask: "try",
    t.WaitTask: "wait",
}


class Extensions:
    """The extensions of a document, compiled when first they apply."""

    def __init__(self, compiler: "Compiler") -> None:
        self._compiler = compiler
        self._compiled: dict[str, _Extension] = {}

    def around(self, task: t.Task, definition: Definition) -> Definition:
        """A task's definition, with the extensions of its kind around it."""
        kind = _KINDS.get(type(task), "")
        named = [pair for each in self._compiler.use.extensions for pair in each.items()]
        for name, extension in reversed(named):
            if extension.extend in ("all", kind):
                if name not in self._compiled:
                    self._compiled[name] = _Extension(name)
                    self._compiled[name].compile(extension, self._compiler)
                definition = self._compiled[name].around(definition)
        return definition


class _Extension:
    """One extension. Its own tasks may be of a kind that it extends, so it is compiled in place."""

    def __init__(self, name: str) -> None:
        self._segment = f"/extensions/{escape(name)}"
        self._when: Bound | None = None
        self._before: TaskSequence | None = None
        self._after: TaskSequence | None = None

    def compile(self, extension: t.Extension, compiler: "Compiler") -> None:
        """Compile its tasks."""
        place = compiler.outside()
        self._when = compiler.expression(extension.when, sites.TASK_DEFINITION, place)
        self._before = compiler.sequence(extension.before, place) if extension.before else None
        self._after = compiler.sequence(extension.after, place) if extension.after else None

    def around(self, definition: Definition) -> Definition:
        """What an extended task does."""

        async def extended(frame: Frame) -> tuple[Any, Directive | None]:
            if frame.scope.extended is not None:
                return await definition(frame)
            if self._when is not None and not truthy(await self._when.evaluate(frame, frame.input)):
                return await definition(frame)
            scope = Scope({}, extended=frame, depth=frame.scope.depth)
            position = frame.position + self._segment
            if self._before is not None:
                output, directive = await self._before.run(
                    frame.run, scope, f"{position}/before", frame.input
                )
                if directive != CONTINUE:
                    return output, outward(directive)
            output, then = await definition(frame)
            if self._after is not None:
                frame.raw_output = output
                after, directive = await self._after.run(
                    frame.run, scope, f"{position}/after", output
                )
                if directive == END:
                    return after, END
            return output, then

        return extended
