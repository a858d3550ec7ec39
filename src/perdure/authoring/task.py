"""`@task`: functions whose outcome is recorded, and never computed again."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar, cast, get_args, overload

from perdure.authoring import source
from perdure.authoring.options import positive_ms
from perdure.authoring.retry import Retry
from perdure.authoring.signature import Signature
from perdure.machine import machine, program
from perdure.machine.commands import OnCrash
from perdure.model.durations import Duration
from perdure.model.exceptions import DefinitionError, DisagreementError, EncodingError, UsageError

P = ParamSpec("P")
R = TypeVar("R")

Mode = Literal["async", "thread", "process"]

_LONGEST_NAME = 128


class Task(Generic[P, R]):
    """A function whose calls in workflow code are tasks; elsewhere, its calls just run it."""

    def __init__(
        self,
        function: Callable[P, Any],
        *,
        name: str | None = None,
        retries: int | Retry = 0,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        on_crash: OnCrash = "retry",
        process: bool = False,
    ) -> None:
        self.name = getattr(function, "__name__", repr(function)) if name is None else name
        self.signature = Signature(function, f"task {self.name}")
        self._function: Callable[..., Any] = function
        self._retry = _retry(retries)
        self._policy = self._retry.policy()
        self._total_timeout_ms = positive_ms(total_timeout, f"{self}: total_timeout")
        self.timeout_ms = positive_ms(timeout, f"{self}: timeout")
        """The longest that an attempt may take."""
        self.on_crash: OnCrash = on_crash
        self.mode: Mode = _mode(function, process)
        """Where it runs: on an event loop, in a thread, or in a process of its own."""
        functools.update_wrapper(self, function)
        if not 0 < len(self.name) <= _LONGEST_NAME:
            raise DefinitionError(f"a task's name has 1 to {_LONGEST_NAME} characters")
        if on_crash not in get_args(OnCrash):
            raise DefinitionError(f'{self}: on_crash is "retry" or "fail", not {on_crash!r}')
        if process and not function.__qualname__.isidentifier():
            raise DefinitionError(
                f"{self}: another process has to find it: put it at the top level of its module"
            )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[object, object, R]:
        """Bind the arguments; what to await for the result.

        In workflow code, raises TypeError for arguments that do not fit the parameters and
        EncodingError for such as have no JSON or are not of the declared types; awaiting raises
        TaskFailedError, or TaskTimedOutError.
        """
        if machine.current() is None:
            return self._directly(args, kwargs)
        return self._durably(self.signature.encode_call(args, kwargs))

    def __repr__(self) -> str:
        return f"task {self.name}"

    @property
    def place(self) -> str:
        """File and line, as ``flows.py:12``."""
        return source.place(self._function)

    @property
    def reference(self) -> str:
        """Names the task in any process on this machine: see `loading.resolve`."""
        return source.reference(self._function)

    def retryable(self, error: BaseException) -> bool:
        """Whether an attempt that failed with `error` may be followed by another."""
        return self._retry.allows(error)

    async def invoke(self, input: bytes) -> bytes:
        """Run one attempt of an async function: from arguments to result, both JSON.

        Raises what the function raises; EncodingError where its result is not of the declared
        type; DisagreementError where the recorded arguments do not fit the parameters (any more).
        """
        arguments = self._recorded_arguments(input)
        return self.signature.encode_result(await self._function(**arguments))

    def invoke_blocking(self, input: bytes) -> bytes:
        """Run one attempt of a plain function; otherwise as `invoke`."""
        arguments = self._recorded_arguments(input)
        return self.signature.encode_result(self._plain(**arguments))

    def _recorded_arguments(self, input: bytes) -> dict[str, Any]:
        try:
            return self.signature.decode_arguments(input)
        except EncodingError as error:
            raise DisagreementError(str(error), "") from None

    async def _durably(self, arguments: bytes) -> R:
        result = await program.run_task(
            self.name,
            arguments,
            self,
            retry=self._policy,
            timeout_ms=self.timeout_ms,
            total_timeout_ms=self._total_timeout_ms,
            on_crash=self.on_crash,
            decode=self.signature.decode_result,
        )
        return cast(R, result)

    def _directly(self, args: Any, kwargs: Any) -> Coroutine[object, object, R]:
        if self.mode == "async":
            return cast(Coroutine[object, object, R], self._function(*args, **kwargs))

        async def run() -> R:
            return cast(R, self._plain(*args, **kwargs))

        return run()

    def _plain(self, *args: Any, **kwargs: Any) -> Any:
        result = self._function(*args, **kwargs)
        if isinstance(result, CoroutineType):
            result.close()
            raise UsageError(f"{self} returned a coroutine: declare it with async def")
        return result


class TaskDecorator(Protocol):
    """What `@task(...)` applies to the function below it."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retries: int | Retry = 0,
    timeout: Duration | None = None,
    total_timeout: Duration | None = None,
    on_crash: OnCrash = "retry",
    process: bool = False,
) -> TaskDecorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task: its outcome is recorded before anything that depends on it begins.

    Arguments and results are JSON, by the types that the function declares. An async function
    runs on an event loop, a plain one in a thread, and with ``process=True`` in a process of its
    own, which can be killed. Effects are at least once: an attempt that is in flight at a crash
    runs again, unless ``on_crash="fail"``.

    `name`: in positions and logs; the function's by default. Renaming a task disagrees with
    executions that are under way.
    `retries`: the number of attempts after the first, or a `Retry` that says when as well.
    `timeout`: the longest that one attempt may take, such as ``"30s"``.
    `total_timeout`: the longest for all of them, with the waits between.

    Raises DefinitionError for what cannot work.
    """
    if function is None:
        return functools.partial(Task, **options)
    return Task(function)


def _mode(function: Callable[..., Any], process: bool) -> Mode:
    if not inspect.iscoroutinefunction(function):
        return "process" if process else "thread"
    if process:
        raise DefinitionError(
            f"task {function.__name__}: process=True is for plain functions; write def, or leave "
            "it out"
        )
    return "async"


def _retry(retries: int | Retry) -> Retry:
    return retries if isinstance(retries, Retry) else Retry(retries)
