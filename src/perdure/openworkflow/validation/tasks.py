"""What each kind of task is (dsl-reference.md, "Task")."""

from perdure.openworkflow.findings import listed, nearest
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.calls import Arguments
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.parts import (
    ANY,
    ANY_OBJECT,
    DURATION,
    EMITTED_EVENT,
    ERROR,
    ERROR_FILTER,
    EVENTS,
    EXPORT,
    INPUT,
    OUTPUT,
    RESOURCE,
    RETRY_POLICY,
    TEXT,
    TEXTS,
    TIMEOUT,
)
from perdure.openworkflow.validation.shapes import (
    Boolean,
    Choice,
    Items,
    Later,
    Named,
    Object,
    Shape,
    Text,
    Word,
    described,
)


def _task_list() -> Shape:
    return TASK_LIST


_TASKS = Later("a list of tasks", _task_list)
_THEN = Text("the name of a task, continue, exit or end, as a text")
COMMON: dict[str, Shape] = {
    "if": TEXT,
    "input": INPUT,
    "output": OUTPUT,
    "export": EXPORT,
    "timeout": TIMEOUT,
    "then": _THEN,
    "metadata": ANY_OBJECT,
}
"""The properties that every task may have."""


def _task(
    kind: str,
    properties: dict[str, Shape],
    *,
    optional: tuple[str, ...] = (),
) -> Object:
    required = [name for name in properties if name not in optional]
    return Object(f"a {kind} task", {**properties, **COMMON}, required=required)


_FOREACH = Object(
    "foreach",
    {"item": TEXT, "at": TEXT, "do": _TASKS, "output": OUTPUT, "export": EXPORT},
)
_ARGUMENTS = Arguments(_FOREACH)

_CALL = Object(
    "a call task",
    {"call": TEXT, "with": ANY, **COMMON},
    required=["call"],
    rules=[_ARGUMENTS.rule],
)

_CATCH = Object(
    "catch",
    {
        "errors": Object("catch.errors", {"with": ERROR_FILTER}),
        "as": TEXT,
        "when": TEXT,
        "exceptWhen": TEXT,
        "retry": Choice(
            RETRY_POLICY, TEXT, expected="a retry policy, or the name of one, as a text"
        ),
        "do": _TASKS,
        "then": _THEN,
    },
)

_PROCESS: dict[str, Shape] = {
    "stdin": TEXT,
    "arguments": TEXTS,
    "environment": ANY_OBJECT,
}


def _lifetime(node: Node, found: Collector) -> None:
    members = node.value
    cleanup = members.get("cleanup")
    if cleanup == "eventually" and "after" not in members:
        found.report(node, "cleanup: eventually needs the property after, a duration")
    elif "cleanup" in members and cleanup != "eventually" and "after" in members:
        found.report_key(node, "after", "after goes with cleanup: eventually only: remove it")


_RUN = Object(
    "run",
    {
        "container": Object(
            "a container",
            {
                "image": TEXT,
                "name": TEXT,
                "command": TEXT,
                "ports": ANY_OBJECT,
                "volumes": ANY_OBJECT,
                **_PROCESS,
                "lifetime": Object(
                    "a container's lifetime",
                    {"cleanup": Word("always", "never", "eventually"), "after": DURATION},
                    required=["cleanup"],
                    rules=[_lifetime],
                ),
                "pullPolicy": Word("ifNotPresent", "always", "never"),
            },
            required=["image"],
        ),
        "script": Object(
            "a script",
            {"language": TEXT, "code": TEXT, "source": RESOURCE, **_PROCESS},
            required=["language"],
            one_of=[("code", "source")],
        ),
        "shell": Object("a shell command", {"command": TEXT, **_PROCESS}, required=["command"]),
        "workflow": Object(
            "a workflow to run",
            {"namespace": TEXT, "name": TEXT, "version": TEXT, "input": ANY_OBJECT},
            required=["namespace", "name", "version"],
        ),
        "await": Boolean(),
        "return": Word("stdout", "stderr", "code", "all", "none"),
    },
    one_of=[("container", "script", "shell", "workflow")],
)

_KINDS: dict[str, Object] = {
    "call": _CALL,
    "do": _task("do", {"do": _TASKS}),
    "emit": _task(
        "emit",
        {
            "emit": Object(
                "emit",
                {"event": Object("an event", {"with": EMITTED_EVENT}, open=True)},
                required=["event"],
            )
        },
    ),
    "for": _task(
        "for",
        {
            "for": Object(
                "a loop",
                {
                    "each": TEXT,
                    "in": Choice(
                        TEXT, Items(ANY_OBJECT), expected="an expression, or a list of objects"
                    ),
                    "at": TEXT,
                },
                required=["in"],
            ),
            "while": TEXT,
            "do": _TASKS,
        },
        optional=("while",),
    ),
    "fork": _task(
        "fork",
        {
            "fork": Object(
                "a fork", {"branches": _TASKS, "compete": Boolean()}, required=["branches"]
            )
        },
    ),
    "listen": _task(
        "listen",
        {
            "listen": Object(
                "listen",
                {"to": EVENTS, "read": Word("data", "envelope", "raw")},
                required=["to"],
            ),
            "foreach": _FOREACH,
        },
        optional=("foreach",),
    ),
    "raise": _task(
        "raise",
        {
            "raise": Object(
                "raise",
                {"error": Choice(ERROR, TEXT, expected="an error, or the name of one, as a text")},
                required=["error"],
            )
        },
    ),
    "run": _task("run", {"run": _RUN}),
    "set": _task(
        "set",
        {
            "set": Choice(
                Object("data to set", open=True, least=1),
                TEXT,
                expected="an object, or an expression",
            )
        },
    ),
    "switch": _task(
        "switch",
        {
            "switch": Named(
                Object("a case", {"when": TEXT, "then": _THEN}, required=["then"]),
                what="a list of cases",
                each="a case",
                least=1,
            )
        },
    ),
    "try": _task("try", {"try": _TASKS, "catch": _CATCH}),
    "wait": _task("wait", {"wait": DURATION}),
}

KINDS = tuple(_KINDS)
"""The kinds of tasks, each of which is the property that makes a task one."""


class TaskShape:
    """A task, whose kind follows from the properties that it has."""

    expected = "a task"

    def fits(self, value: object) -> bool:
        return isinstance(value, dict)

    def check(self, node: Node, found: Collector) -> None:
        members = node.members
        if members is None:
            found.report(
                node,
                f"expected a task, an object with one of {listed(KINDS)}, "
                f"found {described(node.value)}",
            )
            return
        kinds = [kind for kind in KINDS if kind in members]
        if "for" in kinds and "do" in kinds:
            kinds.remove("do")
        if kinds:
            for other in kinds[1:]:
                found.report_key(
                    node,
                    other,
                    f"a task has one kind, and this one is a {kinds[0]} task already: make a task "
                    f"of its own from {other}",
                )
            shape = _KINDS[kinds[0]]
            shape.check(_without(node, kinds[1:]) if kinds[1:] else node, found)
            return
        for name, member in members.items():
            if name in COMMON:
                with found.at(name):
                    COMMON[name].check(member, found)
        near = {name: nearest(name, KINDS) for name in members if name not in COMMON}
        meant = next(((name, kind) for name, kind in near.items() if kind), None)
        if meant is not None:
            found.report_key(
                node, meant[0], f"there is no task with {meant[0]} (did you mean {meant[1]}?)"
            )
        elif "catch" in members:
            found.report(node, "a task with catch needs the property try, which is missing")
        else:
            found.report(node, f"a task needs one of the properties {listed(KINDS)}")


def _without(node: Node, names: list[str]) -> Node:
    members = {n: m for n, m in (node.members or {}).items() if n not in names}
    return Node(node.value, node.line, node.column, members, keys=node.keys)


TASK = TaskShape()
TASK_LIST: Shape = Named(TASK, what="a list of tasks", each="a task")
