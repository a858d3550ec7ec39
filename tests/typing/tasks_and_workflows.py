"""What type checkers say of wrong uses: `make check` fails where an error below is not found.

Nothing here is run.
"""

from typing import assert_type

from perdure import (
    ChildHandle,
    Retry,
    Task,
    Workflow,
    gather,
    sleep,
    task,
    wait_for_event,
    workflow,
)


@task
async def observe(city: str, days: int = 1) -> list[float]:
    return []


@task(retries=Retry(3), timeout="30s")
async def forecast(city: str) -> float:
    return 0.0


@task
def plain(number: int) -> str:
    return ""


@task(process=True)
def heavy(number: int, *, exact: bool) -> bytes:
    return b""


@workflow
async def child(name: str) -> int:
    return 0


@workflow(id="other", version="2", timeout="1h")
async def other(name: str, *, loud: bool = False) -> None: ...


async def results() -> None:
    assert_type(await observe("x", days=2), list[float])
    assert_type(await forecast("x"), float)
    assert_type(await plain(1), str)
    assert_type(await heavy(1, exact=True), bytes)
    assert_type(await child("x"), int)
    assert_type(await child.start("x"), ChildHandle)
    assert_type(await gather(observe("x"), plain(1), sleep("1s")), tuple[list[float], str, None])
    assert_type(await gather(*[plain(1), plain(2)]), list[str])
    assert_type(
        await gather(plain(1), child("x"), return_exceptions=True),
        tuple[str | BaseException, int | BaseException],
    )
    assert_type(await wait_for_event("e", type=int), int)


def kinds() -> tuple[Task[[int], str], Workflow[[str], int]]:
    return plain, child


async def wrong_arguments() -> None:
    await observe(1)  # type: ignore[arg-type]
    await observe()  # type: ignore[call-arg]
    await observe("x", day=2)  # type: ignore[call-arg]
    await forecast(1)  # type: ignore[arg-type]
    await plain("x")  # type: ignore[arg-type]
    await heavy(1)  # type: ignore[call-arg]
    await heavy(1, True)  # type: ignore[call-arg]
    await child(1)  # type: ignore[arg-type]
    await child.start(1)  # type: ignore[arg-type]
    await other("x", loud="y")  # type: ignore[arg-type]
    await sleep(5)  # type: ignore[arg-type]
    await gather(observe("x"), plain("x"))  # type: ignore[arg-type]


async def forgotten_awaits() -> None:
    observe("x")  # type: ignore[unused-coroutine]
    plain(1)  # type: ignore[unused-coroutine]
    child("x")  # type: ignore[unused-coroutine]
    gather(plain(1))  # type: ignore[unused-coroutine]
    sleep("1s")  # type: ignore[unused-coroutine]


def wrong_results() -> None:
    async def use() -> int:
        return await plain(1)  # type: ignore[return-value]


@task(retry=3)  # type: ignore[call-overload, untyped-decorator]
async def wrong_option() -> None: ...


@task(on_crash="explode")  # type: ignore[call-overload, untyped-decorator]
async def wrong_value() -> None: ...


@workflow  # type: ignore[arg-type]
def not_async() -> int:
    return 1
