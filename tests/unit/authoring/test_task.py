import inspect
import json
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest

from perdure import RaisedError, Retry, gather, task, workflow
from perdure.machine import commands as c
from perdure.model.exceptions import (
    DefinitionError,
    DisagreementError,
    EncodingError,
    TaskFailedError,
    UsageError,
)
from tests.unit.machine.harness import START_MS, Played


@dataclass
class Observation:
    city: str
    degrees: list[float]


@task(retries=3, timeout="30s", total_timeout="2m", on_crash="fail")
async def observe(city: str, days: int = 1) -> Observation:
    """Look."""
    return Observation(city, [1.5] * days)


@task
def add(a: int, b: int) -> int:
    return a + b


@task(process=True)
def multiply(a: int, *, b: int) -> int:
    return a * b


# -- what a task is ----------------------------------------------------------------------------


def test_tasks_look_like_their_functions() -> None:
    assert inspect.unwrap(observe).__name__ == "observe"
    assert inspect.getdoc(observe) == "Look."
    assert repr(observe) == "task observe"
    assert observe.name == "observe"
    assert observe.reference == f"{__file__}:observe"
    assert observe.place.startswith(f"{__file__}:")


def test_functions_run_on_the_loop_in_threads_or_in_processes() -> None:
    assert [observe.mode, add.mode, multiply.mode] == ["async", "thread", "process"]


async def test_outside_of_a_workflow_a_task_just_runs() -> None:
    assert await observe("Seattle", days=2) == Observation("Seattle", [1.5, 1.5])
    assert await add(1, 2) == 3
    assert await multiply(2, b=3) == 6


def test_arguments_are_bound_at_the_call_outside_too() -> None:
    with pytest.raises(TypeError):
        _ = observe()  # type: ignore[call-arg]


# -- called in a workflow ----------------------------------------------------------------------


@workflow
async def warm(city: str) -> bool:
    observation = await observe(city)
    return await add(int(observation.degrees[0]), b=1) > 10


def test_a_call_is_a_command_with_arguments_by_name() -> None:
    played = Played(warm, b'{"city":"Seattle"}')
    timer, command = played.asked
    assert isinstance(timer, c.StartTimer)
    assert timer.due_ms == START_MS + 120_000
    assert isinstance(command, c.RunTask)
    assert (command.name, command.timeout_ms, command.on_crash) == ("observe", 30_000, "fail")
    assert json.loads(bytes(command.input)) == {"city": "Seattle"}
    assert played.machine.open["/observe"].subject is observe


def test_outputs_come_back_in_their_declared_types() -> None:
    played = Played(warm, b'{"city":"Seattle"}')
    played.complete("/observe", {"city": "Seattle", "degrees": [12]})
    assert json.loads(bytes(played.last(c.RunTask).input)) == {"a": 12, "b": 1}
    played.complete("/add", 13)
    assert played.result is True


def test_retries_are_those_of_the_task() -> None:
    played = Played(warm, b'{"city":"Seattle"}')
    for attempt in (1, 2, 3):
        played.fail("/observe")
        played.fire(f"/observe/~retry@{attempt}")
    played.fail("/observe")
    assert played.asks[-1] == "FailExecution"


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((), {}, "task observe: missing a required argument: 'city'"),
        (("a", 1, 2), {}, "task observe: too many positional arguments"),
        (("a",), {"cty": 1}, "task observe: got an unexpected keyword argument 'cty'"),
    ],
)
def test_arguments_that_do_not_fit_the_parameters_are_an_error_at_the_call(
    args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    async def calling() -> str:
        try:
            await observe(*args, **kwargs)
        except TypeError as error:
            return str(error)
        return "unreached"

    assert Played(calling).result == says


def test_arguments_of_other_types_are_an_error_at_the_call() -> None:
    async def calling() -> str:
        try:
            await observe("Seattle", "two")  # type: ignore[arg-type]
        except EncodingError as error:
            return str(error)
        return "unreached"

    assert Played(calling).result == (
        "the arguments of task observe: /days: Expected `int`, got `str`"
    )


@pytest.mark.parametrize(
    ("args", "kwargs"), [((2, 3), {}), ((2,), {"b": 3}), ((), {"b": 3, "a": 2})]
)
def test_arguments_may_be_given_by_position_or_name(
    args: tuple[int, ...], kwargs: dict[str, int]
) -> None:
    async def calling() -> int:
        return await add(*args, **kwargs)

    assert json.loads(bytes(Played(calling).last(c.RunTask).input)) == {"a": 2, "b": 3}


def test_tasks_can_be_gathered_and_their_failures_caught() -> None:
    @workflow
    async def both() -> list[int]:
        try:
            return [*await gather(add(1, 2), add(3, 4))]
        except TaskFailedError:
            return []

    played = Played(both)
    played.fail("/gather/0/add")
    played.stopped("/gather/1/add")
    assert played.result == []


def test_a_recorded_output_of_another_type_holds_the_execution() -> None:
    played = Played(warm, b'{"city":"Seattle"}')
    with pytest.raises(DisagreementError, match="/degrees: Expected `array`") as caught:
        played.complete("/observe", {"city": "Seattle", "degrees": "warm"})
    assert caught.value.position == "/observe"


# -- carried out by a worker -------------------------------------------------------------------


async def test_attempts_go_from_json_to_json() -> None:
    output = await observe.invoke(b'{"city":"Seattle","days":2}')
    assert json.loads(output) == {"city": "Seattle", "degrees": [1.5, 1.5]}
    assert add.invoke_blocking(b'{"a":1,"b":2}') == b"3"


async def test_recorded_arguments_that_no_longer_fit_are_a_disagreement() -> None:
    with pytest.raises(DisagreementError, match="unfitting"):
        await observe.invoke(b'{"city":"Seattle","unfitting":1}')
    with pytest.raises(DisagreementError, match="missing required field `b`"):
        add.invoke_blocking(b'{"a":1}')


def test_a_result_of_another_type_than_declared_is_refused() -> None:
    @task
    def lying() -> list[int]:
        return ["x"]  # type: ignore[list-item]

    with pytest.raises(EncodingError) as caught:
        lying.invoke_blocking(b"{}")
    assert str(caught.value) == (
        "the result of task lying does not fit its declared type list[int]: "
        "/0: Expected `int`, got `str`"
    )


def test_a_result_without_a_declared_type_may_be_any() -> None:
    @task
    def free():  # type: ignore[no-untyped-def]
        return {"a": [1, None]}

    @task
    def never() -> NoReturn:
        raise ValueError

    assert free.invoke_blocking(b"{}") == b'{"a":[1,null]}'
    with pytest.raises(ValueError, match=r"^$"):
        never.invoke_blocking(b"{}")


def test_a_plain_function_that_returns_a_coroutine_says_what_to_do() -> None:
    async def inner() -> int:
        return 1

    @task
    def outer() -> Any:
        return inner()

    with pytest.raises(UsageError, match="declare it with async def"):
        outer.invoke_blocking(b"{}")


def test_what_may_be_retried_is_what_the_policy_says() -> None:
    @task(retries=Retry(2, on=(OSError,), never_on=(FileNotFoundError,)))
    async def reading() -> None: ...

    assert reading.retryable(ConnectionError())
    assert reading.retryable(TimeoutError())
    assert not reading.retryable(FileNotFoundError())
    assert not reading.retryable(ValueError())
    assert observe.retryable(ValueError())
    assert observe.retryable(RaisedError("later"))
    assert not observe.retryable(RaisedError("no", retryable=False))
    assert not observe.retryable(EncodingError("no JSON"))
    assert not observe.retryable(KeyboardInterrupt())


# -- declared wrongly --------------------------------------------------------------------------


def takes_many(*values: int) -> None: ...


def takes_named(**values: int) -> None: ...


def takes_nameless(value: int, /) -> None: ...


def yields() -> Any:
    yield 1


async def is_async() -> None: ...


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (takes_many, {}, "take a list as one parameter in place of *values"),
        (takes_named, {}, "take a dict as one parameter in place of **values"),
        (takes_nameless, {}, "remove the / after value"),
        (yields, {}, "return a list in place of yielding"),
        (Observation.__eq__, {}, "make it a function of its module"),
        (len, {}, "decorate a function of a module"),
        (is_async, {"process": True}, "process=True is for plain functions"),
        (lambda: None, {"process": True}, "put it at the top level of its module"),
        (is_async, {"name": ""}, "1 to 128 characters"),
        (is_async, {"timeout": "soon"}, "task is_async: timeout: 'soon' is no duration"),
        (is_async, {"timeout": 5}, "task is_async: timeout: 5 has no unit"),
        (is_async, {"total_timeout": "0s"}, "task is_async: total_timeout: it has to be longer"),
        (is_async, {"on_crash": "explode"}, "on_crash"),
        (is_async, {"retries": -1}, "a whole number from 0 on, not -1"),
        (is_async, {"retries": True}, "a whole number from 0 on, not True"),
    ],
)
def test_what_cannot_work_says_what_to_do(
    function: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        task(**options)(function)
    assert says in str(caught.value)
