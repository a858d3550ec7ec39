"""Results, arguments, awaits and exceptions that cannot be."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Annotated, Any, cast

import httpx
import msgspec

from perdure import RaisedError, gather, sleep, task, workflow

# -- results -----------------------------------------------------------------------------------


class Opaque:
    """Something that has no JSON."""


def _circular() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def _deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


_RESULTS: dict[str, Callable[[], Any]] = {
    "object": Opaque,
    "nested object": lambda: {"a": [Opaque()]},
    "bytes keys": lambda: {b"a": 1},
    "int keys": lambda: {1: 1},
    "set of objects": lambda: {Opaque()},
    "nan": lambda: {"values": [1.0, float("nan")]},
    "infinity": lambda: float("-inf"),
    "too large": lambda: "x" * (2 * 1024 * 1024),
    "too deep": lambda: _deep(10_000),
    "circular": _circular,
    "function": lambda: _deep,
    "coroutine": lambda: asyncio.sleep,
    "huge int": lambda: 2**70,
    "broken text": lambda: "\ud800",
}


@task
async def returns(kind: str) -> Any:
    """Return something that cannot be kept."""
    return _RESULTS[kind]()


@task
def returns_in_a_thread(kind: str) -> Any:
    """Return something that cannot be kept, from a thread."""
    return _RESULTS[kind]()


@task(process=True)
def returns_in_a_process(kind: str) -> Any:
    """Return something that cannot be kept, from a process."""
    return _RESULTS[kind]()


@task
async def takes(value: Any) -> None:
    """Take whatever can be passed."""


@task
async def promises_a_number() -> int:
    """Return something else than was declared."""
    return "seven"  # type: ignore[return-value]


@workflow(id="task-returns")
async def task_returns(kind: str) -> Any:
    """An async task whose result cannot be kept."""
    return await returns(kind)


@workflow(id="thread-returns")
async def thread_returns(kind: str) -> Any:
    """A plain task whose result cannot be kept."""
    return await returns_in_a_thread(kind)


@workflow(id="process-returns")
async def process_returns(kind: str) -> Any:
    """A task in a process whose result cannot be kept."""
    return await returns_in_a_process(kind)


@workflow(id="workflow-returns")
async def workflow_returns(kind: str) -> Any:
    """A result of the workflow itself that cannot be kept."""
    return _RESULTS[kind]()


@workflow(id="passes")
async def passes(kind: str) -> Any:
    """An argument that cannot be passed."""
    await takes(_RESULTS[kind]())


@workflow(id="wrong-type")
async def wrong_type() -> int:
    """A task that breaks its own promise."""
    return await promises_a_number()


# -- inputs ------------------------------------------------------------------------------------


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A place on a map."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]


@workflow(id="typed")
async def typed(place: Place, days: int, labels: list[str], note: str = "") -> int:
    """Inputs of several types."""
    return days


@workflow(id="anything")
async def anything(value: Any = None) -> Any:
    """One input of any type."""
    return value


# -- foreign awaits ----------------------------------------------------------------------------


async def _asyncio_sleep() -> None:
    await asyncio.sleep(1)


async def _asyncio_sleep_zero() -> None:
    await asyncio.sleep(0)


async def _httpx_call() -> None:
    async with httpx.AsyncClient() as client:
        await client.get("http://127.0.0.1:9/")


class _Later:
    def __await__(self) -> Any:
        yield "not a command"


async def _plain_awaitable() -> None:
    await _Later()


async def _asyncio_future() -> None:
    await asyncio.Future()


async def _concurrent_future() -> None:
    future: Future[None] = Future()
    await asyncio.wrap_future(future)


async def _create_task() -> None:
    running = asyncio.create_task(asyncio.sleep(0))
    await running


async def _asyncio_gather() -> None:
    await asyncio.gather(sleep("1s"), sleep("1s"))


async def _ensure_future() -> None:
    await asyncio.ensure_future(sleep("1s"))


async def _task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))


async def _asyncio_timeout() -> None:
    async with asyncio.timeout(1):
        await sleep("2s")


async def _wait_for() -> None:
    await asyncio.wait_for(sleep("2s"), 1)


async def _asyncio_event() -> None:
    await asyncio.Event().wait()


async def _to_thread() -> None:
    await asyncio.to_thread(int)


async def _not_awaitable() -> None:
    await 42  # type: ignore[misc]


async def _thread() -> None:
    """A task that is called in another thread is not one of this workflow's."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            refused = sleep("1s")
            refused.close()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise failed[0]


async def _gather_plain() -> None:
    await gather(1)  # type: ignore[call-overload]


async def _await_twice() -> None:
    once = sleep("10ms")
    await once
    await once


FOREIGN: dict[str, Callable[[], Awaitable[None]]] = {
    "asyncio.sleep": _asyncio_sleep,
    "asyncio.sleep(0)": _asyncio_sleep_zero,
    "httpx": _httpx_call,
    "plain awaitable": _plain_awaitable,
    "asyncio future": _asyncio_future,
    "concurrent future": _concurrent_future,
    "create_task": _create_task,
    "asyncio.gather": _asyncio_gather,
    "ensure_future": _ensure_future,
    "task group": _task_group,
    "asyncio.timeout": _asyncio_timeout,
    "wait_for": _wait_for,
    "asyncio.Event": _asyncio_event,
    "to_thread": _to_thread,
    "not awaitable": _not_awaitable,
    "thread": _thread,
    "gather of no awaitable": _gather_plain,
    "awaited twice": _await_twice,
}


@workflow(id="awaits")
async def awaits(what: str) -> None:
    """Workflow code that awaits what it cannot."""
    await FOREIGN[what]()


# -- exceptions --------------------------------------------------------------------------------


class UnprintableError(Exception):
    """Its message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no message")

    def __repr__(self) -> str:
        raise RuntimeError("no message either")


class ExitingError(Exception):
    """Its message ends the process, if it is let."""

    def __str__(self) -> str:
        raise SystemExit(3)


class WrongTextError(Exception):
    """Its message is no text."""

    def __str__(self) -> str:
        return cast(str, b"bytes")


class OddBaseError(BaseException):
    """No Exception."""


class ClosedError(Exception):
    """Takes arguments of its own, and so cannot be made again from its text."""

    def __init__(self, one: int, *, two: int) -> None:
        super().__init__()
        self.total = one + two


class UnfinishedError(RaisedError):
    """Has none of what it should have."""

    def __init__(self) -> None:
        pass


def _recursion() -> None:
    _recursion()


def _raise(error: BaseException) -> None:
    raise error


def _grouped() -> None:
    raise BaseExceptionGroup("several", [ValueError("one"), KeyboardInterrupt(), OddBaseError()])


def _caused() -> None:
    try:
        raise UnprintableError
    except UnprintableError as error:
        raise ValueError("with a cause that cannot be printed") from error


def _chained() -> None:
    error: BaseException = ValueError("0")
    for number in range(1, 2_000):
        outer = ValueError(str(number))
        outer.__cause__ = error
        error = outer
    raise error


RAISES: dict[str, Callable[[], None]] = {
    "unprintable": lambda: _raise(UnprintableError()),
    "exiting": lambda: _raise(ExitingError()),
    "wrong text": lambda: _raise(WrongTextError()),
    "broken text": lambda: _raise(ValueError("half a pair: \ud800")),
    "nul": lambda: _raise(ValueError("a\0b")),
    "huge": lambda: _raise(ValueError("x" * 50_000_000)),
    "closed": lambda: _raise(ClosedError(1, two=2)),
    "base": lambda: _raise(OddBaseError("odd")),
    "SystemExit": lambda: _raise(SystemExit(7)),
    "KeyboardInterrupt": lambda: _raise(KeyboardInterrupt()),
    "GeneratorExit": lambda: _raise(GeneratorExit()),
    "StopIteration": lambda: _raise(StopIteration(5)),
    "StopAsyncIteration": lambda: _raise(StopAsyncIteration()),
    "CancelledError": lambda: _raise(asyncio.CancelledError()),
    "RecursionError": _recursion,
    "MemoryError": lambda: _raise(MemoryError()),
    "group": _grouped,
    "caused": _caused,
    "chained": _chained,
    "odd failure": lambda: _raise(
        RaisedError(cast(str, ValueError("no text")), title=cast(str, 7), status=cast(int, "many"))
    ),
    "no failure": lambda: _raise(UnfinishedError()),
}


@task
async def raises(what: str) -> None:
    """Raise on the loop."""
    RAISES[what]()


@task
async def raises_later(what: str) -> None:
    """Raise on the loop, after having awaited something."""
    await asyncio.sleep(0.01)
    RAISES[what]()


@task
def raises_in_a_thread(what: str) -> None:
    """Raise in a thread."""
    RAISES[what]()


@task(process=True)
def raises_in_a_process(what: str) -> None:
    """Raise in a process of its own."""
    RAISES[what]()


@workflow(id="raises")
async def raises_in_a_task(what: str) -> None:
    """A task that raises."""
    await raises(what)


@workflow(id="raises-later")
async def raises_in_a_later_step(what: str) -> None:
    """A task that raises later."""
    await raises_later(what)


@workflow(id="raises-in-a-thread")
async def raises_in_a_plain_task(what: str) -> None:
    """A plain task that raises."""
    await raises_in_a_thread(what)


@workflow(id="raises-in-a-process")
async def raises_in_another_process(what: str) -> None:
    """A task in a process that raises."""
    await raises_in_a_process(what)


@workflow(id="raises-in-its-code")
async def raises_in_its_code(what: str) -> None:
    """Workflow code that raises."""
    RAISES[what]()


@workflow(id="raises-in-its-code-later")
async def raises_in_its_code_later(what: str) -> None:
    """Workflow code that raises after a task."""
    await takes(1)
    RAISES[what]()


@workflow(id="raises-in-a-branch")
async def raises_in_a_branch(what: str) -> None:
    """A branch of workflow code that raises, beside one that waits."""

    async def branch() -> None:
        RAISES[what]()

    await gather(branch(), sleep("1h"))


# -- innocents ---------------------------------------------------------------------------------


@task
async def wait(seconds: float) -> float:
    """Wait on the loop."""
    await asyncio.sleep(seconds)
    return seconds


@workflow(id="quick")
async def quick(n: int = 1) -> int:
    """Two short tasks."""
    await wait(0)
    await wait(0)
    return 4 * n


@workflow(id="innocent")
async def innocent(seconds: float) -> float:
    """A task that waits on the loop."""
    return await wait(seconds)
