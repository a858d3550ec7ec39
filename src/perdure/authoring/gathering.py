"""`gather`: several things at once, as branches of a workflow.

What can be gathered is typed `Coroutine[object, object, T]` all over this package: with Any in
place of object, mypy takes the overloads for ambiguous and the results for Any.
"""

from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Literal, TypeVar, overload

from perdure.machine import machine, program
from perdure.model.exceptions import UsageError

T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")


@overload
def gather(
    awaitable1: Awaitable[T1],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1, T2]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1, T2, T3]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1, T2, T3, T4]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    awaitable5: Awaitable[T5],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1, T2, T3, T4, T5]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    awaitable5: Awaitable[T5],
    awaitable6: Awaitable[T6],
    /,
    *,
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, tuple[T1, T2, T3, T4, T5, T6]]: ...
@overload
def gather(
    *awaitables: Awaitable[T1],
    return_exceptions: Literal[False] = False,
) -> Coroutine[object, object, list[T1]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[object, object, tuple[T1 | BaseException]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[object, object, tuple[T1 | BaseException, T2 | BaseException]]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[
    object, object, tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException]
]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[
    Any, Any, tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException, T4 | BaseException]
]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    awaitable5: Awaitable[T5],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[
    Any,
    Any,
    tuple[
        T1 | BaseException,
        T2 | BaseException,
        T3 | BaseException,
        T4 | BaseException,
        T5 | BaseException,
    ],
]: ...
@overload
def gather(
    awaitable1: Awaitable[T1],
    awaitable2: Awaitable[T2],
    awaitable3: Awaitable[T3],
    awaitable4: Awaitable[T4],
    awaitable5: Awaitable[T5],
    awaitable6: Awaitable[T6],
    /,
    *,
    return_exceptions: Literal[True],
) -> Coroutine[
    Any,
    Any,
    tuple[
        T1 | BaseException,
        T2 | BaseException,
        T3 | BaseException,
        T4 | BaseException,
        T5 | BaseException,
        T6 | BaseException,
    ],
]: ...
@overload
def gather(
    *awaitables: Awaitable[T1],
    return_exceptions: Literal[True],
) -> Coroutine[object, object, list[T1 | BaseException]]: ...
def gather(
    *awaitables: Awaitable[Any], return_exceptions: bool = False
) -> Coroutine[object, object, Any]:
    """Run tasks, children, waits and async functions at once; await it for their results in order.

    At the first failure the others are cancelled and waited for, and the failure is raised; with
    `return_exceptions` all run to their ends, and failures are among the results. Raises
    UsageError outside of workflow code, and TypeError for what cannot be awaited.
    """
    if machine.current() is None:
        _close(awaitables)
        raise UsageError("gather() is for workflow code, while a workflow runs: use asyncio.gather")
    for other in _not_awaitable(awaitables):
        _close(awaitables)
        raise TypeError(f"gather() awaits tasks, children and coroutines, not {other!r}")
    coroutines = [item if isinstance(item, Coroutine) else _wait(item) for item in awaitables]
    return program.gather(coroutines, return_exceptions=return_exceptions)


async def _wait(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _not_awaitable(items: Sequence[object]) -> list[object]:
    return [item for item in items if not isinstance(item, Awaitable)]


def _close(awaitables: Sequence[object]) -> None:
    """Drop coroutines that will not run, so that Python does not warn of them."""
    for awaitable in awaitables:
        if isinstance(awaitable, Coroutine):
            awaitable.close()
