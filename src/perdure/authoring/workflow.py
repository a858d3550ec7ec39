"""`@workflow`: functions that are executed durably, from their inputs to their result."""

import functools
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import msgspec

from perdure.authoring import source
from perdure.authoring.options import positive_ms
from perdure.authoring.signature import Signature
from perdure.machine import machine, program
from perdure.model.durations import Duration
from perdure.model.exceptions import Continued, DefinitionError, EncodingError, UsageError
from perdure.model.identifiers import WORKFLOW_ID
from perdure.ports.runtime import Served

P = ParamSpec("P")
R = TypeVar("R")

_ID = re.compile(WORKFLOW_ID)
_LONGEST_VERSION = 128


class ChildHandle(msgspec.Struct, frozen=True):
    """A child workflow that was started and is not awaited."""

    execution_id: str


class Workflow(Generic[P, R]):
    """A function that can be executed durably, under its id and version; a machine's program.

    Called in workflow code, it runs as a child; elsewhere, its calls just run it.
    """

    def __init__(
        self,
        function: Callable[P, Coroutine[Any, Any, R]],
        *,
        id: str | None = None,
        version: str = "1",
        title: str = "",
        tags: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
    ) -> None:
        self.id = getattr(function, "__name__", repr(function)) if id is None else id
        self.version = version
        self.title = title
        self.tags = dict(tags or {})
        self.signature = Signature(function, f"workflow {self.id}")
        self._function: Callable[..., Any] = function
        if not _ID.fullmatch(self.id):
            raise DefinitionError(f"a workflow's id is {_ID.pattern}, which {self.id!r} is not")
        if not _is_version(version):
            raise DefinitionError(f'{self}: version is a text such as "1", not {version!r}')
        if not inspect.iscoroutinefunction(function):
            raise DefinitionError(f"{self}: declare it with async def, so that it can await tasks")
        if not all(isinstance(text, str) for tag in self.tags.items() for text in tag):
            raise DefinitionError(f"{self}: tags are texts by texts, not {self.tags!r}")
        self.timeout_ms = positive_ms(timeout, f"{self}: timeout")
        """The longest that an execution may take."""
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[object, object, R]:
        """Bind the arguments; what to await for the result.

        In workflow code it runs as a child execution, whose end is awaited. Raises TypeError and
        EncodingError as a task does; awaiting raises ChildFailedError.
        """
        if machine.current() is None:
            return cast(Coroutine[object, object, R], self._function(*args, **kwargs))
        return self._as_child(self.signature.encode_call(args, kwargs))

    def start(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[object, object, ChildHandle]:
        """Start it as a child that lives on its own; what to await for the child's handle.

        Raises UsageError outside of workflow code; awaiting raises ChildFailedError where it
        cannot be started.
        """
        if machine.current() is None:
            raise UsageError(
                f"{self.id}.start() starts a child, and is for workflow code; from elsewhere, "
                f"POST to /api/workflows/{self.id}/execute"
            )
        return self._start(self.signature.encode_call(args, kwargs))

    def __repr__(self) -> str:
        return f"workflow {self.id}"

    @property
    def place(self) -> str:
        """File and line, as ``flows.py:12``."""
        return source.place(self._function)

    def served(self) -> Served:
        """How it is announced. Raises DefinitionError where a type has no JSON."""
        self.signature.prepare()
        schema = self.signature.input_schema()
        return Served(
            workflow_id=self.id,
            version=self.version,
            digest=source.digest(self._function),
            source=source.text(self._function),
            title=self.title,
            tags=self.tags,
            timeout_ms=self.timeout_ms,
            input_schema=msgspec.json.encode({**schema, "title": self.title or self.id}),
        )

    async def begin(self, inputs: bytes) -> bytes:
        """The main branch of an execution: from inputs to result, both JSON.

        Raises EncodingError, saying where, for inputs that do not fit the parameters and for a
        result that is not of the declared type.
        """
        arguments = self._arguments(inputs)
        try:
            result = await self._function(**arguments)
        except Continued as continued:
            self.signature.decode_arguments(continued.inputs)
            raise
        return self.signature.encode_result(result)

    def _arguments(self, inputs: bytes) -> dict[str, Any]:
        try:
            return self.signature.decode_arguments(inputs)
        except EncodingError as error:
            stepping = program.machine()
            if stepping.replaying:
                stepping.disagree(str(error), "")
            raise

    async def _as_child(self, inputs: bytes) -> R:
        result = await program.run_child(
            self.id, self.version, inputs, decode=self.signature.decode_result
        )
        return cast(R, result)

    async def _start(self, inputs: bytes) -> ChildHandle:
        return ChildHandle(await program.start_child(self.id, self.version, inputs))


def _is_version(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_VERSION


class WorkflowDecorator:
    """What `@workflow(...)` applies to the function below it."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Workflow[P, R]:
        return Workflow(function, **self._options)


@overload
def workflow(function: Callable[P, Coroutine[Any, Any, R]], /) -> Workflow[P, R]: ...
@overload
def workflow(
    *,
    id: str | None = None,
    version: str = "1",
    title: str = "",
    tags: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
) -> WorkflowDecorator: ...
def workflow(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make an async function a workflow, which the server can execute.

    Its parameters are the inputs; their types give the input schema. It awaits tasks, `sleep`,
    `gather`, `wait_for_event` and other workflows; everything else belongs into a task.

    `id`: 1 to 128 of ``A-Z a-z 0-9 . _ -``; the function's name by default.
    `version`: executions are pinned to the one under which they start.
    `title`, `tags`: shown with it.
    `timeout`: the longest that an execution may take, such as ``"1h"``.

    Raises DefinitionError for what cannot work.
    """
    if function is None:
        return WorkflowDecorator(options)
    return Workflow(function)
