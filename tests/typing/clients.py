"""What type checkers say of a client's results, and of wrong uses of it.

`make check` fails where an error below is not found. Nothing here is run.
"""

from datetime import UTC, datetime
from typing import assert_type

from perdure import ApiError, Client, ExecutionFailedError, PerdureError
from perdure.client import Seen
from perdure.model.status import Status
from perdure.wire.executions import (
    CurrentTask,
    ExecutionsPage,
    Head,
    Waiting,
    Whole,
    WrittenFailure,
)
from perdure.wire.logs import LogRecord
from perdure.wire.replies import EventReceipt
from perdure.wire.tasks import TaskRun
from perdure.wire.workflows import WholeWorkflow, Workflow


async def results(client: Client) -> None:
    assert_type(await client.execute("weather", {"query": "rain"}), Head)
    assert_type(await client.run("weather", check=False), Whole)
    assert_type(await client.wait("exec-1"), Whole)
    assert_type(await client.execution("exec-1"), Whole)
    assert_type(await client.executions_page(status="failed"), ExecutionsPage)
    assert_type([each async for each in client.executions()], list[Head])
    assert_type([each async for each in client.tasks("exec-1")], list[TaskRun])
    assert_type([each async for each in client.logs("exec-1")], list[LogRecord])
    assert_type([each async for each in client.follow_logs("exec-1")], list[LogRecord])
    assert_type([each async for each in client.follow("exec-1")], list[Seen])
    async with client.download_logs("exec-1", "ndjson") as pieces:
        assert_type(b"".join([each async for each in pieces]), bytes)
    assert_type(await client.cancel("exec-1"), Head)
    assert_type(await client.pause("exec-1"), Head)
    assert_type(await client.resume("exec-1"), Head)
    assert_type(await client.send_event("exec-1", "paid", {"amount": 3}), EventReceipt)
    assert_type([each async for each in client.workflows()], list[Workflow])
    assert_type([each async for each in client.versions("weather")], list[Workflow])
    assert_type(await client.workflow("weather", "2"), WholeWorkflow)
    async with client as entered:
        assert_type(entered, Client)


def members(whole: Whole) -> None:
    assert_type(whole.status, Status)
    assert_type(whole.created_at, str)
    assert_type(whole.started_at, str | None)
    assert_type(whole.tags, dict[str, str])
    assert_type(whole.current_tasks, list[CurrentTask])
    assert_type(whole.waiting_for, list[Waiting])
    assert_type(whole.error, WrittenFailure | None)


async def errors(client: Client) -> None:
    try:
        await client.run("weather")
    except ApiError as error:
        assert_type((error.status, error.code), tuple[int, str])
        assert_type(error.retry_after_s, float | None)
    except ExecutionFailedError as error:
        assert_type(error.execution, Whole)
        kept: PerdureError = error
        del kept


async def wrong_uses(client: Client) -> None:
    await client.execute(1)  # type: ignore[arg-type]
    await client.execute("weather", ["rain"])  # type: ignore[arg-type]
    await client.execute("weather", query="rain")  # type: ignore[call-arg]
    await client.execute("weather", timeout=5)  # type: ignore[arg-type]
    await client.execute("weather", start_at=1.5)  # type: ignore[arg-type]
    client.executions(order="sideways")  # type: ignore[arg-type]
    client.executions(status="done")  # type: ignore[arg-type]
    client.executions(workflow="weather")  # type: ignore[call-arg]
    client.logs("exec-1", min_level="DEBUG")  # type: ignore[arg-type]
    client.download_logs("exec-1", "pdf")  # type: ignore[arg-type]
    client.executions(created_after=datetime.now(UTC), created_before=1)  # type: ignore[arg-type]
    client.execute("weather")  # type: ignore[unused-coroutine]
