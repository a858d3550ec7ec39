"""What documents ask the machine for, each at the position of its task."""

from typing import Any

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.branch import Perform
from perdure.machine.machine import Machine
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.model.exceptions import Cancelled
from perdure.model.position import instance
from perdure.openworkflow.errors import WorkflowError

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encoded(value: Any, what: str) -> bytes:
    """A value as JSON. Raises WorkflowError (validation) where it cannot be recorded."""
    try:
        body = _encode(value)
    except RecursionError:
        raise WorkflowError(failures.validation(f"{what} is nested too deeply")) from None
    if len(body) > VALUE_LIMIT_BYTES:
        detail = (
            f"{what} has {len(body):,} bytes, and a value may have {VALUE_LIMIT_BYTES:,}: "
            "store it elsewhere and pass a reference"
        )
        raise WorkflowError(failures.validation(detail))
    return body


async def run_task(position: str, name: str, input: bytes, subject: object) -> Any:
    """Run an effect once; its output. Raises WorkflowError with what it failed with."""
    command = c.RunTask(position=position, name=name, input=msgspec.Raw(input))
    event = await Perform(command, subject)
    if isinstance(event, e.TaskCompleted):
        return _decode(bytes(event.output))
    if isinstance(event, e.TaskCancelled):
        raise Cancelled
    assert isinstance(event, e.TaskFailed)
    raise WorkflowError(event.failure.at(instance(position)))


async def record(position: str, name: str, value: bytes) -> Any:
    """Have a value recorded, by a task that only puts it out; the value."""
    return await run_task(position, name, value, _ECHO)


class _Echo:
    """A task of perdure's own, whose output is its input."""

    mode = "async"
    reference = "perdure:echo"

    async def invoke(self, input: bytes) -> bytes:
        return input

    def invoke_blocking(self, input: bytes) -> bytes:
        return input

    def retryable(self, error: BaseException) -> bool:
        return False


_ECHO = _Echo()


async def wait(
    machine: Machine, position: str, length_ms: int, purpose: c.Purpose = "sleep"
) -> None:
    """Wait, durably, from the time of the last event on."""
    due_ms = machine.time + length_ms
    await Perform(c.StartTimer(position=position, due_ms=due_ms, purpose=purpose))


async def run_child(position: str, workflow_id: str, version: str | None, input: bytes) -> Any:
    """Run a child workflow to its end; its result. Raises WorkflowError where it fails."""
    event = await _start_child(position, workflow_id, version, input, wait=True)
    if isinstance(event, e.ChildCompleted):
        return _decode(bytes(event.result))
    assert isinstance(event, e.ChildCancelled)
    text = f"child {workflow_id} ({event.execution_id}) was cancelled"
    raise WorkflowError(failures.cancelled(text).at(instance(position)))


async def start_child(position: str, workflow_id: str, version: str | None, input: bytes) -> None:
    """Start a child workflow that lives on its own. Raises WorkflowError where it cannot be."""
    await _start_child(position, workflow_id, version, input, wait=False)


async def _start_child(
    position: str, workflow_id: str, version: str | None, input: bytes, *, wait: bool
) -> e.AnyEvent:
    command = c.StartChild(
        position=position,
        workflow_id=workflow_id,
        version=version,
        input=msgspec.Raw(input),
        wait=wait,
    )
    event = await Perform(command)
    if isinstance(event, e.ChildFailed):
        # Its instance is a place in the child, which means nothing in this document.
        placed = msgspec.structs.replace(event.failure, instance=instance(position))
        raise WorkflowError(placed)
    return event
