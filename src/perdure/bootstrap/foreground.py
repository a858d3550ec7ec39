"""Runs one workflow in the foreground, on the embedded engine over a folder of its own."""

import asyncio
import tempfile
from pathlib import Path
from typing import Protocol

import uvloop

from perdure.bootstrap.folder import DataFolder
from perdure.bootstrap.server import running_engine
from perdure.engine.engine import Engine
from perdure.engine.state import Limits
from perdure.model.exceptions import PerdureError
from perdure.model.execution import Execution, LogRecord
from perdure.ports.logs import LogQuery
from perdure.ports.runtime import StartRequest

_POLL_S = 0.1
_LOG_QUOTA_BYTES = 100 * 1024 * 1024
_PAGE = 1_000


class Observer(Protocol):
    """Who watches a workflow that runs in the foreground."""

    def log(self, record: LogRecord) -> None:
        """A line was logged."""
        ...

    def tasks(self, execution: Execution) -> None:
        """This is where the execution stands."""
        ...


class NothingToRunError(PerdureError):
    """The file has no workflow to run, or several; the text says which."""


def run_foreground(
    path: str,
    workflow_id: str | None,
    inputs: bytes,
    observer: Observer,
    egress_allow: tuple[str, ...] = (),
) -> Execution:
    """Run a workflow to its end; Ctrl-C cancels it, and its cleanup runs.

    Raises NothingToRunError, or RefusedError where the inputs do not fit.
    """
    with (
        tempfile.TemporaryDirectory(prefix="perdure-run-") as place,
        DataFolder(Path(place)) as folder,
    ):
        return uvloop.run(_run(folder, path, workflow_id, inputs, observer, egress_allow))


async def _run(
    folder: DataFolder,
    path: str,
    workflow_id: str | None,
    inputs: bytes,
    observer: Observer,
    egress_allow: tuple[str, ...],
) -> Execution:
    limits = Limits(shutdown_grace_ms=0)
    async with running_engine(
        folder, (Path(path),), limits, _LOG_QUOTA_BYTES, egress_allow=egress_allow
    ) as engine:
        await engine.first_served()
        chosen = _choose(engine, path, workflow_id)
        head = await engine.execute(StartRequest(workflow_id=chosen, inputs=inputs))
        try:
            return await _follow(engine, head.execution_id, observer)
        except asyncio.CancelledError:
            await engine.cancel(head.execution_id)
            return await _follow(engine, head.execution_id, observer)


async def _follow(engine: Engine, execution_id: str, observer: Observer) -> Execution:
    seen = 0
    while True:
        ended = await engine.wait(execution_id, _POLL_S)
        execution = await engine.execution(execution_id, logs=0)
        next_after: int | None = seen
        while next_after is not None:
            page = await engine.logs(execution_id, LogQuery(after=seen, limit=_PAGE))
            for record in page.records:
                observer.log(record)
                seen = record.seq
            next_after = page.next_after
        observer.tasks(execution)
        if ended or execution.head.status == "paused":
            return execution


def _choose(engine: Engine, path: str, workflow_id: str | None) -> str:
    ids = sorted({served.workflow_id for served in engine.workflows()})
    lines = "\n".join(engine.health().problems).splitlines()
    problems = "".join(f"\n  {line}" for line in lines)
    if workflow_id is not None and workflow_id in ids:
        return workflow_id
    if workflow_id is None and len(ids) == 1:
        return ids[0]
    if not ids:
        raise NothingToRunError(f"{path} has no workflow{problems}")
    there = ", ".join(ids)
    if workflow_id is None:
        raise NothingToRunError(f"{path} has several workflows, name one of them: {there}")
    raise NothingToRunError(f"{path} has no workflow {workflow_id!r}, but {there}{problems}")
