"""What front ends build programs from: awaitable steps on the machine that is stepping.

Every function here is called from within a program, that is, while a machine steps it.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import machine as machines
from perdure.machine.branch import Dropped, Join, Perform
from perdure.machine.machine import Machine
from perdure.machine.retry import RetryPolicy
from perdure.model import durations, failure
from perdure.model.exceptions import (
    Cancelled,
    ChildFailedError,
    Continued,
    EncodingError,
    EvaluationFailedError,
    TaskFailedError,
    TaskTimedOutError,
    UsageError,
    WaitTimedOutError,
)
from perdure.model.position import instance


def machine() -> Machine:
    """The machine that steps the caller. Raises UsageError outside of workflow code."""
    stepping = machines.current()
    if stepping is None:
        raise UsageError("this can only be used in workflow code, while a workflow runs")
    return stepping


async def run_task(
    name: str,
    input: bytes,
    subject: object,
    *,
    retry: RetryPolicy,
    timeout_ms: int | None = None,
    total_timeout_ms: int | None = None,
    on_crash: c.OnCrash = "retry",
    decode: Callable[[bytes], Any] = bytes,
) -> Any:
    """Run a task to its last attempt; what `decode` makes of its output, which is JSON.

    `timeout_ms` bounds an attempt, `total_timeout_ms` all of them with the waits between.
    Raises TaskFailedError, or TaskTimedOutError where time ran out. An EncodingError of `decode`
    holds the execution: the code has changed under a recorded output.
    """
    stepping = machine()
    position = stepping.next_position(name)
    deadline = f"{position}/~timeout"
    if total_timeout_ms is not None:
        limit = failure.timeout(
            f"task {name} took longer than {durations.text(total_timeout_ms)} in all"
        )
        error = TaskTimedOutError(limit.at(instance(position)))
        stepping.set_deadline(deadline, stepping.time + total_timeout_ms, error)
    try:
        attempt = 1
        while True:
            event = await Perform(
                c.RunTask(
                    position=position,
                    name=name,
                    attempt=attempt,
                    input=msgspec.Raw(input),
                    timeout_ms=timeout_ms,
                    on_crash=on_crash,
                ),
                subject,
            )
            if isinstance(event, e.TaskCompleted):
                return _decoded(decode, event.output, position)
            if isinstance(event, e.TaskCancelled):
                raise Cancelled
            assert isinstance(event, e.TaskFailed)
            if not (event.retryable and retry.allows(attempt)):
                raise _task_error(event.failure.at(instance(position)))
            delay_ms = retry.delay_after(attempt, stepping.randomness.random())
            if delay_ms:
                await _timer(f"{position}/~retry@{attempt}", stepping.time + delay_ms, "retry")
            attempt += 1
    finally:
        if total_timeout_ms is not None:
            stepping.clear_deadline(deadline)


async def sleep(length_ms: int) -> None:
    """Wait, durably, from the time of the last event on. A pause prolongs the wait."""
    stepping = machine()
    await _timer(stepping.next_position("sleep"), stepping.time + length_ms, "sleep")


async def sleep_until(due_ms: int) -> None:
    """Wait, durably, for a moment, which no pause moves."""
    position = machine().next_position("sleep_until")
    await _timer(position, due_ms, "sleep", absolute=True)


async def wait_for_event(name: str, timeout_ms: int | None) -> bytes:
    """Wait for an event from outside; its data as JSON. Raises WaitTimedOutError."""
    stepping = machine()
    position = stepping.next_position(f"event:{name}")
    deadline = f"{position}/~timeout"
    if timeout_ms is not None:
        text = f"event {name} did not come within {durations.text(timeout_ms)}"
        error = WaitTimedOutError(failure.timeout(text).at(instance(position)))
        stepping.set_deadline(deadline, stepping.time + timeout_ms, error)
    try:
        event = await Perform(c.WaitForEvent(position=position, name=name))
    finally:
        if timeout_ms is not None:
            stepping.clear_deadline(deadline)
    assert isinstance(event, e.EventReceived | c.Carried)
    return bytes(event.data)


async def run_child(
    workflow_id: str,
    version: str | None,
    input: bytes,
    *,
    decode: Callable[[bytes], Any] = bytes,
) -> Any:
    """Start a child workflow and wait for its end; what `decode` makes of its result.

    Raises ChildFailedError where it fails, is cancelled by somebody, or cannot be started. An
    EncodingError of `decode` holds the execution.
    """
    position = machine().next_position(f"child:{workflow_id}")
    event = await Perform(
        c.StartChild(
            position=position, workflow_id=workflow_id, version=version, input=msgspec.Raw(input)
        )
    )
    if isinstance(event, e.ChildCompleted):
        return _decoded(decode, event.result, position)
    if isinstance(event, e.ChildFailed):
        raise ChildFailedError(event.failure.at(instance(position)))
    assert isinstance(event, e.ChildCancelled)
    text = f"child {workflow_id} ({event.execution_id}) was cancelled"
    raise ChildFailedError(failure.cancelled(text).at(instance(position)))


async def start_child(workflow_id: str, version: str | None, input: bytes) -> str:
    """Start a child workflow that lives on its own; its execution id."""
    position = machine().next_position(f"child:{workflow_id}")
    event = await Perform(
        c.StartChild(
            position=position,
            workflow_id=workflow_id,
            version=version,
            input=msgspec.Raw(input),
            wait=False,
        )
    )
    if isinstance(event, e.ChildFailed):
        raise ChildFailedError(event.failure.at(instance(position)))
    assert isinstance(event, e.ChildStarted)
    return event.execution_id


async def evaluate(expression: str, arguments: bytes) -> bytes:
    """Have an expression evaluated outside of the machine; its value as JSON.

    What `expression` and `arguments` (JSON) mean is between those who ask and the evaluator. The
    answer is recorded. Raises EvaluationFailedError; its failure has no place yet.
    """
    position = machine().next_internal_position("evaluate")
    event = await Perform(
        c.Evaluate(position=position, expression=expression, arguments=msgspec.Raw(arguments))
    )
    if isinstance(event, e.EvaluationFailed):
        raise EvaluationFailedError(event.failure)
    assert isinstance(event, e.Evaluated)
    return bytes(event.output)


async def gather(
    coroutines: Sequence[Coroutine[Any, Any, Any]], *, return_exceptions: bool = False
) -> list[Any]:
    """Run coroutines as branches; their results in order.

    At the first failure the others are cancelled, waited for, and the failure raised, unless
    `return_exceptions`, which puts failures among the results.
    """
    stepping = machine()
    prefix = stepping.next_position("gather")
    branches = [
        stepping.spawn(f"{prefix}/{index}", coroutine) for index, coroutine in enumerate(coroutines)
    ]
    join = Join(branches, stop_on_failure=not return_exceptions)
    try:
        await join
        if join.first_failed is not None and not return_exceptions:
            assert join.first_failed.error is not None
            raise join.first_failed.error
    except (Dropped, GeneratorExit):
        raise
    except BaseException:
        for branch in branches:
            stepping.cancel(branch)
        try:
            await Join(branches, stop_on_failure=False)
        except Cancelled:  # from outside, while the branches clean up: they still have to be done
            await Join(branches, stop_on_failure=False)
            raise
        raise
    for branch in branches:
        if isinstance(branch.error, Continued):
            raise branch.error
    return [branch.result if branch.error is None else branch.error for branch in branches]


async def _timer(position: str, due_ms: int, purpose: c.Purpose, *, absolute: bool = False) -> None:
    await Perform(
        c.StartTimer(position=position, due_ms=due_ms, absolute=absolute, purpose=purpose)
    )


def _decoded(decode: Callable[[bytes], Any], recorded: msgspec.Raw, position: str) -> Any:
    try:
        return decode(bytes(recorded))
    except EncodingError as error:
        machine().disagree(str(error), position)


def _task_error(reason: failure.Failure) -> TaskFailedError:
    if reason.type == failure.STANDARD + "timeout":
        return TaskTimedOutError(reason)
    return TaskFailedError(reason)
