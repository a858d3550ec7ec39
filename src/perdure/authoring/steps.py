"""What workflow code awaits and asks beside tasks: time, events, branches, other workflows."""

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar, overload
from uuid import UUID

import msgspec

from perdure.authoring.workflow import ChildHandle
from perdure.machine import machine as machines
from perdure.machine import program
from perdure.machine.machine import Machine
from perdure.model.durations import Duration, milliseconds
from perdure.model.encoding import decode_other, encode
from perdure.model.exceptions import Continued, EncodingError, UsageError

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def sleep(duration: Duration) -> Coroutine[object, object, None]:
    """Wait, durably: ``"90s"``, ``"1h30m"``, ``"PT1H"`` or a timedelta.

    A pause of the execution prolongs the wait. Raises TypeError and ValueError for what is no
    duration, UsageError outside of workflow code.
    """
    _stepping("sleep", "use asyncio.sleep or time.sleep")
    return program.sleep(milliseconds(duration))


def sleep_until(moment: datetime) -> Coroutine[object, object, None]:
    """Wait, durably, for a moment; one that has passed is not waited for.

    A pause of the execution does not move it. Raises ValueError for a datetime without a time
    zone, UsageError outside of workflow code.
    """
    _stepping("sleep_until", "use asyncio.sleep or time.sleep")
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: add one, such as tzinfo=datetime.UTC")
    return program.sleep_until(-((_EPOCH - moment) // _MILLISECOND))


@overload
def wait_for_event(
    name: str, *, timeout: Duration | None = None
) -> Coroutine[object, object, Any]: ...
@overload
def wait_for_event(
    name: str, *, timeout: Duration | None = None, type: type[T]
) -> Coroutine[object, object, T]: ...
def wait_for_event(
    name: str, *, timeout: Duration | None = None, type: Any = Any
) -> Coroutine[object, object, Any]:
    """Wait for an event from outside; its data, as `type`.

    An event that came before is taken, the oldest first, each once. Awaiting raises
    WaitTimedOutError where none comes within `timeout`, EncodingError where the data is not of
    `type`. Raises UsageError outside of workflow code.
    """
    _stepping("wait_for_event", "an execution is sent events over HTTP")
    timeout_ms = None if timeout is None else milliseconds(timeout)
    return _event(name, timeout_ms, msgspec.json.Decoder(type, dec_hook=decode_other))


async def _event(name: str, timeout_ms: int | None, decoder: msgspec.json.Decoder[Any]) -> Any:
    data = await program.wait_for_event(name, timeout_ms)
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise EncodingError(f"the data of event {name}: {error}") from None


def run_workflow(
    workflow_id: str, inputs: dict[str, Any], *, version: str | None = None
) -> Coroutine[object, object, Any]:
    """Run a workflow that is known by its id as a child, and wait for its result.

    Without `version`, its highest release. Awaiting raises ChildFailedError. Raises EncodingError
    for inputs that have no JSON, UsageError outside of workflow code.
    """
    _stepping("run_workflow", f"POST to /api/workflows/{workflow_id}/execute")
    encoded = encode(inputs, f"the inputs of workflow {workflow_id}")
    return program.run_child(workflow_id, version, encoded, decode=msgspec.json.decode)


def start_workflow(
    workflow_id: str, inputs: dict[str, Any], *, version: str | None = None
) -> Coroutine[object, object, ChildHandle]:
    """Start a workflow that is known by its id as a child that lives on its own.

    As `run_workflow`, but its end is not awaited.
    """
    _stepping("start_workflow", f"POST to /api/workflows/{workflow_id}/execute")
    encoded = encode(inputs, f"the inputs of workflow {workflow_id}")
    return _started(workflow_id, version, encoded)


async def _started(workflow_id: str, version: str | None, inputs: bytes) -> ChildHandle:
    return ChildHandle(await program.start_child(workflow_id, version, inputs))


def now() -> datetime:
    """The time of the last event, in UTC: the only clock of workflow code."""
    stepping = _stepping("now", "use datetime.now(UTC)")
    return _EPOCH + stepping.time * _MILLISECOND


def random() -> float:
    """A random number in [0, 1), the same on every replay. Not for secrets."""
    return _stepping("random", "use the module random").randomness.random()


def uuid4() -> UUID:
    """A random UUID, the same on every replay. Not for secrets."""
    return _stepping("uuid4", "use the module uuid").randomness.uuid4()


def patched(name: str) -> bool:
    """Whether this execution runs the code as it is after the change `name`.

    It lets code change under executions that are under way: ``if patched("b"): new else: old``
    takes the old way in those that passed here before the change, the new one in all others.
    """
    return _stepping("patched", "only the code of workflows needs it").patched(name)


def continue_as_new(**inputs: Any) -> NoReturn:
    """Leave the workflow, and begin it anew with these inputs and an empty journal.

    For workflows without end. The execution keeps its id; events that nobody awaited yet are
    kept. Raises EncodingError for inputs that have no JSON, UsageError outside of workflow code.
    """
    _stepping("continue_as_new", "call the function again")
    raise Continued(encode(inputs, "the inputs of continue_as_new"))


def _stepping(function: str, instead: str) -> Machine:
    machine = machines.current()
    if machine is None:
        raise UsageError(f"{function}() is for workflow code, while a workflow runs: {instead}")
    return machine
