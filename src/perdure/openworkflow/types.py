"""A document as types: what validation has accepted, ready to be compiled (dsl-reference.md).

Field names are the specification's in Python's manner: ``exceptWhen`` is `except_when`, a keyword
has a trailing underscore (``if`` is `if_`). Fields that may hold expressions keep the text or tree
as it stands in the document. Task kinds that are not executed yet are `UnsupportedTask`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from perdure.model.exceptions import DefinitionError

Tree = Any
"""What JSON can hold, with expressions in its strings."""


def _renamed(name: str) -> str:
    first, *others = name.rstrip("_").split("_")
    return first + "".join(other.capitalize() for other in others)


class Part(msgspec.Struct, frozen=True, kw_only=True, rename=_renamed):
    """Base of all parts of a document."""


# -- shared parts ----------------------------------------------------------------------------


class DurationParts(Part, frozen=True, kw_only=True):
    """A length of time in units, which add up."""

    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    milliseconds: int = 0


Duration = DurationParts | str
"""In units, as ISO 8601 (``PT1H``), or as an expression that results in either."""


class Timeout(Part, frozen=True, kw_only=True):
    """After which time a task or workflow is interrupted."""

    after: Duration


class Endpoint(Part, frozen=True, kw_only=True):
    """Where something is: a URI template or an expression, and how to authenticate there."""

    uri: str
    authentication: "Authentication | None" = None


class ExternalResource(Part, frozen=True, kw_only=True):
    """Something that is fetched."""

    endpoint: Endpoint | str
    name: str = ""


class Schema(Part, frozen=True, kw_only=True):
    """The shape of data: JSON Schema, inline or fetched."""

    document: Tree = None
    resource: ExternalResource | None = None
    format: str = "json"


class Input(Part, frozen=True, kw_only=True):
    """What becomes of input before it is used."""

    schema: Schema | None = None
    from_: Tree = None


class Output(Part, frozen=True, kw_only=True):
    """What becomes of output before it is passed on."""

    schema: Schema | None = None
    as_: Tree = None


class Export(Part, frozen=True, kw_only=True):
    """What becomes of the context after a task."""

    schema: Schema | None = None
    as_: Tree = None


class Authentication(Part, frozen=True, kw_only=True):
    """An authentication policy: one of these is set; `use` names one of the document's.

    Within each, ``use`` names a secret that has the properties.
    """

    use: str | None = None
    basic: dict[str, Any] | None = None
    bearer: dict[str, Any] | None = None
    digest: dict[str, Any] | None = None
    oauth2: dict[str, Any] | None = None
    oidc: dict[str, Any] | None = None


class Error(Part, frozen=True, kw_only=True):
    """An error to raise; texts may be expressions."""

    type: str
    status: int
    instance: str | None = None
    title: str | None = None
    detail: str | None = None


class Jitter(Part, frozen=True, kw_only=True):
    """A random length that is added to each delay."""

    from_: Duration
    to: Duration


class RetryAttemptLimit(Part, frozen=True, kw_only=True):
    """How many attempts, and how long each."""

    count: int | None = None
    duration: Duration | None = None


class RetryLimit(Part, frozen=True, kw_only=True):
    """How often and for how long something is tried again."""

    attempt: RetryAttemptLimit | None = None
    duration: Duration | None = None


class RetryPolicy(Part, frozen=True, kw_only=True):
    """When and how something is tried again."""

    when: str | None = None
    except_when: str | None = None
    delay: Duration | None = None
    backoff: dict[Literal["constant", "exponential", "linear"], dict[str, Any]] | None = None
    limit: RetryLimit | None = None
    jitter: Jitter | None = None


# -- tasks -----------------------------------------------------------------------------------


class Task(Part, frozen=True, kw_only=True):
    """What all tasks have; `definition` is the task as it stands in the document."""

    if_: str | None = None
    input: Input | None = None
    output: Output | None = None
    export: Export | None = None
    timeout: Timeout | str | None = None
    then: str | None = None
    metadata: dict[str, Any] | None = None
    definition: dict[str, Any] = msgspec.field(default_factory=dict, name="~definition")


class TaskList:
    """Tasks by name, in order. Names are unique; iterating gives names and tasks."""

    def __init__(self, tasks: tuple[tuple[str, Task], ...] = ()) -> None:
        self.tasks = tasks

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[tuple[str, Task]]:
        return iter(self.tasks)


class HttpArguments(Part, frozen=True, kw_only=True):
    """What is called over HTTP."""

    method: str
    endpoint: Endpoint | str
    headers: dict[str, Any] | str | None = None
    body: Tree = msgspec.UNSET
    query: dict[str, Any] | str | None = None
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False


class CallHttpTask(Task, frozen=True, kw_only=True):
    """Call something over HTTP."""

    with_: HttpArguments


class CallFunctionTask(Task, frozen=True, kw_only=True):
    """Call a function of the document (``use.functions``), or a cataloged one."""

    call: str
    with_: dict[str, Any] = msgspec.field(default_factory=dict)


class DoTask(Task, frozen=True, kw_only=True):
    """Tasks one after another."""

    do: TaskList


class Event(Part, frozen=True, kw_only=True):
    """An event to emit: CloudEvents attributes and data, which may be expressions."""

    with_: dict[str, Any] = msgspec.field(default_factory=dict)


class Emit(Part, frozen=True, kw_only=True):
    """What is emitted."""

    event: Event


class EmitTask(Task, frozen=True, kw_only=True):
    """Emit an event."""

    emit: Emit


class For(Part, frozen=True, kw_only=True):
    """What is iterated over, and how the variables are called."""

    in_: str | list[Any]
    each: str = "item"
    at: str = "index"


class ForTask(Task, frozen=True, kw_only=True):
    """Tasks for each item of a collection."""

    for_: For
    do: TaskList
    while_: str | None = None


class Fork(Part, frozen=True, kw_only=True):
    """Branches; where they compete, the first one to be done wins."""

    branches: TaskList
    compete: bool = False


class ForkTask(Task, frozen=True, kw_only=True):
    """Tasks at the same time."""

    fork: Fork


class Raise(Part, frozen=True, kw_only=True):
    """An error, or the name of one of the document's."""

    error: Error | str


class RaiseTask(Task, frozen=True, kw_only=True):
    """Raise an error."""

    raise_: Raise


class WorkflowProcess(Part, frozen=True, kw_only=True):
    """Another workflow to run."""

    namespace: str
    name: str
    version: str = "latest"
    input: dict[str, Any] = msgspec.field(default_factory=dict)


class RunWorkflow(Part, frozen=True, kw_only=True):
    """How another workflow is run."""

    workflow: WorkflowProcess
    await_: bool = True
    return_: Literal["stdout", "stderr", "code", "all", "none"] = "stdout"


class RunWorkflowTask(Task, frozen=True, kw_only=True):
    """Run another workflow."""

    run: RunWorkflow


class SetTask(Task, frozen=True, kw_only=True):
    """Make data."""

    set: dict[str, Any] | str


class Case(Part, frozen=True, kw_only=True):
    """A way to go; without `when` it is the default."""

    then: str
    when: str | None = None


class SwitchTask(Task, frozen=True, kw_only=True):
    """Go one of several ways; each case has a name."""

    switch: tuple[dict[str, Case], ...]


class ErrorFilter(Part, frozen=True, kw_only=True):
    """Which errors: those whose properties equal the ones that are set."""

    type: str | None = None
    status: int | None = None
    instance: str | None = None
    title: str | None = None
    detail: str | None = None


class CaughtErrors(Part, frozen=True, kw_only=True):
    """Which errors are caught; all where there is no filter."""

    with_: ErrorFilter | None = None


class Catch(Part, frozen=True, kw_only=True):
    """What is done about errors."""

    errors: CaughtErrors | None = None
    as_: str = "error"
    when: str | None = None
    except_when: str | None = None
    retry: RetryPolicy | str | None = None
    do: TaskList | None = None
    then: str | None = None


class TryTask(Task, frozen=True, kw_only=True):
    """Tasks whose errors are handled."""

    try_: TaskList
    catch: Catch


class WaitTask(Task, frozen=True, kw_only=True):
    """Let time pass."""

    wait: Duration


class UnsupportedTask(Task, frozen=True, kw_only=True):
    """A task that parses and validates, and is not executed yet; `kind` as ``call grpc``."""

    kind: str


# -- the document ----------------------------------------------------------------------------


class Header(Part, frozen=True, kw_only=True):
    """What the document says of itself."""

    dsl: str
    namespace: str
    name: str
    version: str
    title: str = ""
    summary: str = ""
    tags: dict[str, Any] = msgspec.field(default_factory=dict)
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def workflow_id(self) -> str:
        """Under which id it is executed."""
        return self.name if self.namespace == "default" else f"{self.namespace}.{self.name}"


class Extension(Part, frozen=True, kw_only=True):
    """Tasks before and after each task of a kind."""

    extend: str
    when: str | None = None
    before: TaskList | None = None
    after: TaskList | None = None


class Function:
    """A task that can be called by its name."""

    def __init__(self, task: Task) -> None:
        self.task = task


class Use(Part, frozen=True, kw_only=True):
    """What the document's parts use by name."""

    authentications: dict[str, Authentication] = msgspec.field(default_factory=dict)
    catalogs: dict[str, Any] = msgspec.field(default_factory=dict)
    errors: dict[str, Error] = msgspec.field(default_factory=dict)
    extensions: tuple[dict[str, Extension], ...] = ()
    functions: dict[str, Function] = msgspec.field(default_factory=dict)
    retries: dict[str, RetryPolicy] = msgspec.field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    timeouts: dict[str, Timeout] = msgspec.field(default_factory=dict)


class Evaluate(Part, frozen=True, kw_only=True):
    """How expressions are evaluated."""

    language: str = "jq"
    mode: Literal["strict", "loose"] = "strict"


class Document(Part, frozen=True, kw_only=True):
    """A workflow document; `definition` is its tree as it was read."""

    document: Header
    do: TaskList
    input: Input | None = None
    use: Use = Use()
    timeout: Timeout | str | None = None
    output: Output | None = None
    schedule: dict[str, Any] | None = None
    evaluate: Evaluate = Evaluate()
    definition: dict[str, Any] = msgspec.field(default_factory=dict, name="~definition")


_KINDS: Mapping[str, type[Task]] = {
    "do": DoTask,
    "emit": EmitTask,
    "fork": ForkTask,
    "raise": RaiseTask,
    "set": SetTask,
    "switch": SwitchTask,
    "wait": WaitTask,
}
_PROTOCOLS = ("asyncapi", "grpc", "openapi", "a2a", "mcp")


def kind_of(task: Mapping[str, Any]) -> str:
    """The kind of a task, as ``set``, ``call http`` or ``run shell``; empty for what is none.

    Of a call of a function: ``call``.
    """
    for kind in ("for", "try", "listen", *_KINDS):  # a `for` has a `do` too
        if kind in task:
            return kind
    if "call" in task:
        call = task["call"]
        return f"call {call}" if call == "http" or call in _PROTOCOLS else "call"
    if "run" in task:
        processes = ("container", "script", "shell", "workflow")
        return next((f"run {what}" for what in processes if what in task["run"]), "")
    return ""


def decode(tree: dict[str, Any]) -> Document:
    """The types of a document that validation has accepted.

    Raises DefinitionError where it has not been: a tree that is no document.
    """
    try:
        return msgspec.convert({**tree, "~definition": tree}, Document, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        raise DefinitionError(f"this is no workflow document: {error}") from None


def decode_task(tree: dict[str, Any]) -> Task:
    """The type of one task. Raises msgspec.ValidationError for what is none."""
    kind = kind_of(tree)
    type_: type[Task]
    extra: dict[str, Any] = {"~definition": tree}
    if kind == "for":
        type_ = ForTask
    elif kind == "try":
        type_ = TryTask
    elif kind == "call http":
        type_ = CallHttpTask
    elif kind == "call":
        type_ = CallFunctionTask
    elif kind == "run workflow":
        type_ = RunWorkflowTask
    elif kind in _KINDS:
        type_ = _KINDS[kind]
    elif kind:
        type_ = UnsupportedTask
        extra["kind"] = kind
    else:
        raise msgspec.ValidationError(f"no task has the properties {', '.join(tree)}")
    return msgspec.convert({**tree, **extra}, type_, dec_hook=_decoded)


def _decoded(type_: type, value: Any) -> Any:
    if type_ is TaskList:
        return TaskList(
            tuple((name, decode_task(task)) for item in value for name, task in item.items())
        )
    if type_ is Function:
        return Function(decode_task(value))
    raise NotImplementedError(type_)
