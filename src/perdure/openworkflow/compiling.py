"""A document compiled into closures, once: what each task kind makes of itself is in `tasks`."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from perdure.model.exceptions import DefinitionError
from perdure.model.position import escape
from perdure.openworkflow import durations, expressions, tasks
from perdure.openworkflow import types as t
from perdure.openworkflow.binding import Bound
from perdure.openworkflow.expressions import sites
from perdure.openworkflow.extensions import Extensions
from perdure.openworkflow.lengths import Length
from perdure.openworkflow.running import CONTINUE, DEPTH_LIMIT, END, EXIT, Definition, Directive
from perdure.openworkflow.schemas import DataSchema
from perdure.openworkflow.sequences import TaskSequence
from perdure.openworkflow.timeouts import Limit
from perdure.openworkflow.visits import CompiledTask, Transformation
from perdure.ports.calls import Calls, Secrets

_DIRECTIVES: Mapping[str, Directive] = {"continue": CONTINUE, "exit": EXIT, "end": END}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the document something is compiled: what it sees, and how deep it is."""

    variables: frozenset[str] = frozenset()
    depth: int = 0
    extended: bool = True
    """Whether extensions apply to what stands right here."""

    def within(self, *variables: str) -> "Place":
        """One task further in, with more variables. Raises DefinitionError where it is too deep."""
        if self.depth >= DEPTH_LIMIT:
            raise DefinitionError(f"tasks are nested deeper than {DEPTH_LIMIT} levels")
        return msgspec.structs.replace(
            self, variables=self.variables | set(variables), depth=self.depth + 1, extended=True
        )


class Compiler:
    """Compiles one document. Raises DefinitionError for what validation would have refused."""

    def __init__(self, document: t.Document, calls: Calls, secrets: Secrets) -> None:
        self.document = document
        self.use = document.use
        self.calls = calls
        self.secrets = secrets
        self._functions: dict[str, list[CompiledTask]] = {}
        self._extensions = Extensions(self)

    # -- tasks ---------------------------------------------------------------------------------

    def sequence(self, tasks: t.TaskList, place: Place) -> TaskSequence:
        """A list of tasks."""
        targets = {name: index for index, (name, _) in enumerate(tasks)}
        compiled = [
            self.task(f"/{index}/{escape(name)}", name, task, place, targets)
            for index, (name, task) in enumerate(tasks)
        ]
        return TaskSequence(compiled, jumps=any(_jumps(task, targets) for _, task in tasks))

    def task(
        self,
        segment: str,
        name: str,
        task: t.Task,
        place: Place,
        targets: Mapping[str, int],
    ) -> CompiledTask:
        """A task, with the directives of the list it stands in; `segment` is where in positions."""
        definition = self._definition(task, place, targets)
        if place.extended:
            definition = self._extensions.around(task, definition)
        return CompiledTask(
            name=name,
            segment=segment,
            tree=task.definition,
            definition=definition,
            condition=self.expression(task.if_, sites.TASK_IF, place),
            input=self.input(task.input, sites.TASK_INPUT_FROM, place, "input"),
            output=self.output(task.output, sites.TASK_OUTPUT_AS, place, "output"),
            export=self.output(task.export, sites.TASK_EXPORT_AS, place, "context"),
            limit=self._limit(task.timeout, place),
            then=self.directive(task.then, targets),
        )

    def function(self, name: str) -> list[CompiledTask]:
        """The task of a function: one, as soon as all is compiled, since functions may recur."""
        if name not in self._functions:
            if name not in self.use.functions:
                raise DefinitionError(f"use.functions has no {name!r}")
            holder: list[CompiledTask] = []
            self._functions[name] = holder
            task = self.use.functions[name].task
            holder.append(self.task("", name, task, Place(extended=False), {}))
        return self._functions[name]

    def _definition(self, task: t.Task, place: Place, targets: Mapping[str, int]) -> Definition:
        return tasks.KINDS[type(task)](task, self, place, targets)

    def outside(self) -> Place:
        """Where functions and extensions stand: beside the tasks, and not extended themselves.

        A call of a function is extended as a call. Within extensions nothing is, as they run.
        """
        return Place(extended=False)

    # -- parts ---------------------------------------------------------------------------------

    def directive(self, then: str | None, targets: Mapping[str, int]) -> Directive:
        """What comes next: `targets` are the tasks of the same list, by name."""
        if then is None:
            return CONTINUE
        if then in _DIRECTIVES:
            return _DIRECTIVES[then]
        if then not in targets:
            raise DefinitionError(f"no task of the same list is called {then!r}")
        return targets[then]

    def expression(
        self, source: str | None, available: Collection[str], place: Place
    ) -> Bound | None:
        """A field that is always an expression; None where it is not set."""
        if source is None:
            return None
        return self._bound(
            expressions.compile(
                expressions.always_expression(source), self._seen(available, place)
            ),
            place,
        )

    def tree(self, tree: Any, available: Collection[str], place: Place) -> Bound:
        """A tree with expressions in its strings."""
        mode = self.document.evaluate.mode
        return self._bound(
            expressions.template(tree, self._seen(available, place), mode=mode), place
        )

    def field(self, tree: Any, available: Collection[str], place: Place) -> Bound | None:
        """A field that is an expression or an object with expressions; None where not set."""
        if tree is None:
            return None
        if isinstance(tree, str):
            return self.expression(tree, available, place)
        return self.tree(tree, available, place)

    def input(
        self, input: t.Input | None, available: Collection[str], place: Place, what: str
    ) -> Transformation | None:
        """What becomes of input."""
        if input is None:
            return None
        expression = self.field(input.from_, available, place)
        return Transformation(expression, self._schema(input.schema, what))

    def output(
        self,
        output: t.Output | t.Export | None,
        available: Collection[str],
        place: Place,
        what: str,
    ) -> Transformation | None:
        """What becomes of output, or of the context."""
        if output is None:
            return None
        expression = self.field(output.as_, available, place)
        return Transformation(expression, self._schema(output.schema, what))

    def length(self, duration: t.Duration, place: Place) -> Length:
        """A length of time."""
        if isinstance(duration, str) and expressions.is_expression(duration):
            return Length(0, self.expression(duration, sites.TASK_DEFINITION, place))
        try:
            return Length(durations.milliseconds(duration))
        except ValueError as error:
            raise DefinitionError(str(error)) from None

    def _limit(self, timeout: t.Timeout | str | None, place: Place) -> Limit | None:
        if timeout is None:
            return None
        return Limit(self.length(self.timeout(timeout).after, place))

    def timeout(self, timeout: t.Timeout | str) -> t.Timeout:
        """A timeout, by its name where it is one."""
        if not isinstance(timeout, str):
            return timeout
        if timeout not in self.use.timeouts:
            raise DefinitionError(f"use.timeouts has no {timeout!r}")
        return self.use.timeouts[timeout]

    def _schema(self, schema: t.Schema | None, what: str) -> DataSchema | None:
        if schema is None:
            return None
        if schema.resource is not None:
            raise DefinitionError("schemas that have to be fetched are not supported yet")
        try:
            return DataSchema(schema.document, what)
        except ValueError as error:
            raise DefinitionError(f"the schema of the {what}: {error}") from None

    def _seen(self, available: Collection[str], place: Place) -> frozenset[str]:
        return place.variables | set(available)

    def _bound(self, source: expressions.Expression | expressions.Template, place: Place) -> Bound:
        return Bound(source, place.variables)


def _jumps(task: t.Task, targets: Mapping[str, int]) -> bool:
    """Whether a task may name which one of its list comes next."""
    names = [task.then]
    if isinstance(task, t.SwitchTask):
        names += [case.then for cases in task.switch for case in cases.values()]
    elif isinstance(task, t.TryTask):
        names.append(task.catch.then)
    return any(name in targets for name in names)
