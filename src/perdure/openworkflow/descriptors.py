"""The arguments of expressions (dsl.md, Runtime expression arguments), built when mentioned."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

from perdure.model.position import instance
from perdure.openworkflow.running import UNSET, Frame

Argument = Callable[[Frame], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RUNTIME = {"name": "perdure", "version": metadata.version("perdure"), "metadata": {}}


def moment(time_ms: int) -> str:
    """A time in milliseconds as ISO 8601 in UTC, ``2022-01-01T12:00:00.123Z``."""
    time = _EPOCH + timedelta(milliseconds=time_ms)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_time(time_ms: int) -> dict[str, Any]:
    """The DateTime descriptor of a time in milliseconds."""
    return {
        "iso8601": moment(time_ms),
        "epoch": {"seconds": time_ms // 1000, "milliseconds": time_ms},
    }


def _task(frame: Frame) -> dict[str, Any]:
    """The task's descriptor; within an extension that of the task which is extended."""
    described = frame.scope.extended or frame
    descriptor = {
        "name": described.name,
        "reference": instance(described.position),
        "definition": described.definition,
        "input": described.raw_input,
        "startedAt": date_time(described.started_ms),
    }
    if described.raw_output is not UNSET:
        descriptor["output"] = described.raw_output
    return descriptor


def _workflow(frame: Frame) -> dict[str, Any]:
    run = frame.run
    return {
        "id": run.machine.execution_id,
        "definition": run.document.definition,
        "input": run.input,
        "startedAt": date_time(run.started_ms),
    }


ARGUMENTS: Mapping[str, Argument] = {
    "context": lambda frame: frame.run.context,
    "input": lambda frame: frame.input,
    "output": lambda frame: frame.output,
    "task": _task,
    "workflow": _workflow,
    "runtime": lambda frame: _RUNTIME,
}
"""How each is built; `secrets` and `authorization` only exist where an effect begins."""
