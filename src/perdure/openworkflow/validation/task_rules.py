"""The rules of tasks that their schema cannot state: names, targets, references, expressions."""

from collections.abc import Callable, Sequence

from perdure.openworkflow.expressions import is_expression, sites
from perdure.openworkflow.findings import listed, meant, quoted
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.expressions import Expressions
from perdure.openworkflow.validation.part_rules import PartRules
from perdure.openworkflow.validation.references import PROTOCOLS, References
from perdure.openworkflow.validation.scope import Scope
from perdure.openworkflow.validation.values import check_method, check_template, check_variable

_DIRECTIVES = ("continue", "exit", "end")


class TaskRules:
    """Walks tasks, and reports what cannot work in them."""

    def __init__(self, found: Collector, references: References, expressions: Expressions) -> None:
        self._found = found
        self._references = references
        self._expressions = expressions
        self.parts = PartRules(found, references, expressions)
        self._kinds: dict[str, Callable[[Node, Scope], None]] = {
            "call": self._call,
            "do": self._do,
            "emit": self._emit,
            "for": self._for,
            "fork": self._fork,
            "listen": self._listen,
            "raise": self._raise,
            "run": self._run,
            "set": self._set,
            "switch": self._switch,
            "try": self._try,
            "wait": self._wait,
        }

    # -- tasks -------------------------------------------------------------------------------

    def list(self, node: Node | None, scope: Scope, *, branches: bool = False) -> None:
        """A list of tasks at the path; `branches` run at once, and go nowhere."""
        named = _named(node)
        within = scope.with_targets([] if branches else [name for _, name, _, _ in named])
        first: dict[str, int] = {}
        for index, name, item, task in named:
            with self._found.at(index):
                line = item.keys[name][0] if item.keys is not None else item.line
                if name in first:
                    self._found.report_key(
                        item,
                        name,
                        f"the name {quoted(name)} occurs twice in this list, first in line "
                        f"{first[name]}: rename one of these tasks",
                    )
                first.setdefault(name, line)
                with self._found.at(name):
                    self.task(task, within)

    def task(self, node: Node, scope: Scope) -> None:
        """A task at the path."""
        found, expressions = self._found, self._expressions
        if node.members is None:
            return
        arguments = scope.variables
        with found.at("if"):
            expressions.expression(node.member("if"), sites.TASK_IF | arguments)
        with found.at("input"):
            self.parts.data(node.member("input"), "from", sites.TASK_INPUT_FROM | arguments)
        with found.at("timeout"):
            self.parts.timeout(node.member("timeout"), sites.TASK_DEFINITION | arguments)
        for kind, check in self._kinds.items():
            part = node.member(kind)
            if part is not None and not (kind == "do" and "for" in node.members):
                check(node, scope)
        with found.at("output"):
            self.parts.data(node.member("output"), "as", sites.TASK_OUTPUT_AS | arguments)
        with found.at("export"):
            self.parts.data(node.member("export"), "as", sites.TASK_EXPORT_AS | arguments)
        with found.at("then"):
            self._then(node.member("then"), scope)

    def extension(self, node: Node) -> None:
        """An extension at the path."""
        with self._found.at("when"):
            self._expressions.expression(node.member("when"), sites.TASK_DEFINITION)
        for part in ("before", "after"):
            with self._found.at(part):
                self.list(node.member(part), Scope())

    def _then(self, node: Node | None, scope: Scope) -> None:
        if node is None or not isinstance(node.value, str):
            return
        target = node.value
        if target in _DIRECTIVES or target in scope.targets:
            return
        near = meant(target, [*scope.targets, *_DIRECTIVES])
        here = (
            f"this list has {listed(scope.targets, 'and')}"
            if scope.targets
            else ("there is no list of tasks here to go on in")
        )
        self._found.report(
            node,
            f"there is no task named {quoted(target)} to go to{near}: {here}; continue, exit and "
            "end go on",
        )

    # -- kinds -------------------------------------------------------------------------------

    def _call(self, node: Node, scope: Scope) -> None:
        found = self._found
        call, arguments = node.member("call"), node.member("with")
        if call is None or not isinstance(call.value, str):
            return
        if call.value not in PROTOCOLS:
            with found.at("call"):
                self._references.check_call(call, scope.function)
            with found.at("with"):
                self._expressions.values(arguments, sites.TASK_DEFINITION | scope.variables)
            return
        if arguments is None or arguments.members is None:
            return
        method = arguments.member("method")
        if call.value == "http" and method is not None:
            with found.at("with", "method"):
                check_method(method, found)
        with found.at("with"):
            for name, part in arguments.members.items():
                with found.at(name):
                    self._argument(name, part, scope)

    def _argument(self, name: str, node: Node, scope: Scope) -> None:
        found, parts = self._found, self.parts
        if name in ("endpoint", "server"):
            parts.endpoint(node, scope, called=name == "endpoint")
        elif name in ("document", "proto", "agentCard"):
            with found.at("endpoint"):
                parts.endpoint(node.member("endpoint"), scope)
        elif name == "authentication":
            parts.authentication(node, scope)
        elif name == "timeout":
            parts.duration(node, sites.TASK_DEFINITION | scope.variables)
        elif name == "subscription":
            with found.at("foreach"):
                self._foreach(node.member("foreach"), scope)
        elif name == "service":
            with found.at("authentication"):
                parts.authentication(node.member("authentication"), scope)
        else:
            self._expressions.values(node, sites.TASK_SENT | scope.variables)

    def _do(self, node: Node, scope: Scope) -> None:
        with self._found.at("do"):
            self.list(node.member("do"), scope)

    def _emit(self, node: Node, scope: Scope) -> None:
        with self._found.at("emit"):
            self._expressions.values(node.member("emit"), sites.TASK_DEFINITION | scope.variables)
        emit = node.member("emit")
        event = emit.member("event") if emit is not None else None
        with_ = event.member("with") if event is not None else None
        if event is not None and event.members is not None and with_ is None:
            with self._found.at("emit", "event"):
                self._found.report(
                    event, "an event to emit needs the property with, and in it type"
                )
        for name in ("source", "dataschema"):
            with self._found.at("emit", "event", "with", name):
                check_template(with_.member(name) if with_ is not None else None, self._found)

    def _for(self, node: Node, scope: Scope) -> None:
        loop = node.member("for")
        if loop is None or loop.members is None:
            return
        with self._found.at("for"):
            with self._found.at("in"):
                self._expressions.expression_or_values(
                    loop.member("in"), sites.TASK_DEFINITION | scope.variables
                )
            names = self._variables(loop, each="item", at="index")
        within = scope.with_variables(*names)
        with self._found.at("while"):
            self._expressions.expression(
                node.member("while"), sites.TASK_DEFINITION | within.variables
            )
        self._do(node, within)

    def _variables(self, node: Node, **defaults: str) -> Sequence[str]:
        """The names of variables that a part declares, checked."""
        names: dict[str, str] = {}
        for key, default in defaults.items():
            part = node.member(key)
            name = default
            if part is not None and isinstance(part.value, str):
                name = part.value
                with self._found.at(key):
                    check_variable(part, self._found)
                    if name in names.values():
                        self._found.report(
                            part, f"two variables have the name {quoted(name)}: choose another one"
                        )
            names[key] = name
        return tuple(names.values())

    def _fork(self, node: Node, scope: Scope) -> None:
        fork = node.member("fork")
        if fork is not None:
            with self._found.at("fork", "branches"):
                self.list(fork.member("branches"), scope, branches=True)

    def _listen(self, node: Node, scope: Scope) -> None:
        listen = node.member("listen")
        if listen is not None:
            with self._found.at("listen", "to"):
                self.parts.events(listen.member("to"), scope)
        with self._found.at("foreach"):
            self._foreach(node.member("foreach"), scope)

    def _foreach(self, node: Node | None, scope: Scope) -> None:
        if node is None or node.members is None:
            return
        within = scope.with_variables(*self._variables(node, item="item", at="index"))
        self._do(node, within)
        with self._found.at("output"):
            self.parts.data(node.member("output"), "as", sites.TASK_OUTPUT_AS | within.variables)
        with self._found.at("export"):
            self.parts.data(node.member("export"), "as", sites.TASK_EXPORT_AS | within.variables)

    def _raise(self, node: Node, scope: Scope) -> None:
        raised = node.member("raise")
        error = raised.member("error") if raised is not None else None
        with self._found.at("raise", "error"):
            self.parts.error(error, scope)

    def _run(self, node: Node, scope: Scope) -> None:
        with self._found.at("run"):
            self._expressions.values(node.member("run"), sites.TASK_DEFINITION | scope.variables)

    def _set(self, node: Node, scope: Scope) -> None:
        value = node.member("set")
        if value is None:
            return
        with self._found.at("set"):
            if isinstance(value.value, str) and not is_expression(value.value):
                self._found.report(
                    value,
                    f"expected an object or an expression in ${{ }}, found the text "
                    f"{quoted(value.value)}",
                )
            self._expressions.values(value, sites.TASK_DEFINITION | scope.variables)

    def _switch(self, node: Node, scope: Scope) -> None:
        default = ""
        for index, name, _, case in _named(node.member("switch")):
            with self._found.at("switch", index, name):
                when = case.member("when")
                with self._found.at("when"):
                    self._expressions.expression(when, sites.TASK_DEFINITION | scope.variables)
                with self._found.at("then"):
                    self._then(case.member("then"), scope)
                if case.members is not None and when is None:
                    if default:
                        self._found.report(
                            case,
                            f"a switch has one case without when, its default: {quoted(default)} "
                            "is one already",
                        )
                    default = default or name

    def _try(self, node: Node, scope: Scope) -> None:
        found = self._found
        with found.at("try"):
            self.list(node.member("try"), scope)
        catch = node.member("catch")
        if catch is None or catch.members is None:
            return
        with found.at("catch"):
            within = scope.with_variables(*self._variables(catch, **{"as": "error"}))
            available = sites.TASK_DEFINITION | within.variables
            for name in ("when", "exceptWhen"):
                with found.at(name):
                    self._expressions.expression(catch.member(name), available)
            with found.at("retry"):
                self.parts.retry(catch.member("retry"), within)
            self._do(catch, within)
            with found.at("then"):
                self._then(catch.member("then"), scope)

    def _wait(self, node: Node, scope: Scope) -> None:
        with self._found.at("wait"):
            self.parts.duration(node.member("wait"), sites.TASK_DEFINITION | scope.variables)


def _named(node: Node | None) -> Sequence[tuple[int, str, Node, Node]]:
    """The well-formed entries of a list of objects with one key each: index, key, object, value."""
    entries = []
    for index, item in enumerate((node.items if node is not None else None) or ()):
        if item.members is not None and len(item.members) == 1:
            for name, member in item.members.items():
                entries.append((index, name, item, member))
    return entries
