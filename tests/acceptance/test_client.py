"""The client against a real server: starts, waits, lists, logs and control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from perdure import (
    Client,
    ConflictError,
    ExecutionCancelledError,
    ExecutionFailedError,
    NotFoundError,
    RefusedInputError,
    UnauthorizedError,
)
from perdure.client import Head
from perdure.model.status import Status
from tests.support.servers import ADMIN_KEY, SERVED, Server, server, until, until_true

MODULE = SERVED / "told.py"

with_one_server = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def its(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server for all that neither end it nor ask what else is there."""
    async with server(tmp_path_factory.mktemp("its"), MODULE) as made:
        yield made


class Noting(httpx.AsyncHTTPTransport):
    """Notes the status of every answer."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self.statuses.append(response.status_code)
        return response


@asynccontextmanager
async def connected(
    its: Server, token: str = ADMIN_KEY, transport: Noting | None = None
) -> AsyncIterator[Client]:
    async with Client(f"http://127.0.0.1:{its.port}", token, transport=transport) as client:
        yield client


@with_one_server
async def test_starting_and_waiting(its: Server) -> None:
    """Ends of each kind, under keys, and starts that are refused."""
    async with connected(its) as client:
        ended = await client.run("told", {"lines": 3}, tags={"team": "a"})
        assert (ended.status, ended.result, ended.inputs) == (Status.COMPLETED, 3, {"lines": 3})
        assert ended.tags == {"team": "a"}
        with pytest.raises(ExecutionFailedError, match="nothing to tell") as caught:
            await client.run("told", {"lines": 0})
        assert caught.value.execution.error is not None

        first = await client.execute("told", {"lines": 1}, idempotency_key="one")
        again = await client.execute("told", {"lines": 1}, idempotency_key="one")
        assert again.execution_id == first.execution_id
        with pytest.raises(RefusedInputError) as refused:
            await client.execute("told", {"lines": 2}, idempotency_key="one")
        assert refused.value.code == "idempotency_mismatch"
        with pytest.raises(RefusedInputError) as refused:
            await client.execute("told", {"lines": "many", "what": 1})
        assert {each.location for each in refused.value.errors} == {
            "/inputs/lines",
            "/inputs",
        }
        with pytest.raises(NotFoundError):
            await client.execute("tolt")
        later = await client.execute("told", start_at=datetime.now(UTC) + timedelta(1))
        assert later.status is Status.PENDING


async def test_waiting_outlives_the_server(tmp_path: Path) -> None:
    """An end that comes after a restart is waited for all the same."""
    async with server(tmp_path, MODULE) as its, connected(its) as client:
        head = await client.execute("asked")
        waiting = asyncio.create_task(client.wait(head.execution_id))
        following = asyncio.create_task(_messages(client, head))
        await until(partial(_waits, client, head), "the execution waits")
        await its.kill()
        await its.start()
        assert not waiting.done()
        receipt = await client.send_event(head.execution_id, "answer", "yes", event_id="1")
        assert not receipt.duplicate
        assert (await asyncio.wait_for(waiting, 30)).result == "yes"
        told = await asyncio.wait_for(following, 30)
        assert told[0] == "started"
        assert len(told) == len({*told})


async def _waits(client: Client, head: Head) -> bool:
    return bool((await client.execution(head.execution_id)).waiting_for)


async def _messages(client: Client, head: Head) -> list[str]:
    return [record.message async for record in client.follow_logs(head.execution_id)]


async def test_looking(tmp_path: Path) -> None:
    """Lists over several pages, tasks and logs."""
    async with server(tmp_path, MODULE) as its, connected(its) as client:
        ids = [(await client.execute("told", {"lines": 1})).execution_id for _ in range(205)]
        found = [head.execution_id async for head in client.executions()]
        assert found == ids[::-1]
        page = await client.executions_page(limit=200)
        rest = await client.executions_page(limit=200, cursor=page.next_cursor)
        assert [each.execution_id for each in (*page.executions, *rest.executions)] == found

        told = await client.run("told", {"lines": 2_500})
        records = [record async for record in client.logs(told.execution_id)]
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        assert [record.message for record in records[1:2_501]] == [
            f"line {number}" for number in range(2_500)
        ]
        assert [record.message for record in told.logs] == [
            record.message for record in records[-100:]
        ]
        [task] = [task async for task in client.tasks(told.execution_id)]
        assert (task.name, task.status, task.output) == ("tell", "completed", 2_500)


@with_one_server
async def test_control(its: Server) -> None:
    """Pause, resume and cancel, and what they are refused for."""
    async with connected(its) as client:
        execution_id = (await client.execute("asked")).execution_id
        assert (await client.pause(execution_id)).status is Status.PAUSED
        with pytest.raises(ConflictError) as refused:
            await client.pause(execution_id)
        assert refused.value.code == "already_paused"
        assert (await client.resume(execution_id)).status is Status.RUNNING
        waiting = asyncio.create_task(client.wait(execution_id))
        await client.cancel(execution_id)
        with pytest.raises(ExecutionCancelledError):
            await asyncio.wait_for(waiting, 30)
        with pytest.raises(ConflictError) as refused:
            await client.cancel(execution_id)
        assert refused.value.code == "already_ended"
        with pytest.raises(NotFoundError):
            await client.execution("exec-0000000000000")
        async with connected(its, "prd_wrong") as stranger:
            with pytest.raises(UnauthorizedError):
                await stranger.execution(execution_id)


@with_one_server
async def test_many_waits_at_once(its: Server) -> None:
    """They hold up neither each other nor anything else."""
    async with connected(its) as client:
        heads = await asyncio.gather(*(client.execute("asked") for _ in range(120)))
        waits = [asyncio.create_task(client.wait(head.execution_id)) for head in heads]
        for head in heads:
            await asyncio.wait_for(client.send_event(head.execution_id, "answer", "yes"), 10)
        ended = await asyncio.wait_for(asyncio.gather(*waits), 30)
        assert [each.result for each in ended] == ["yes"] * 120


async def test_workflows(tmp_path: Path) -> None:
    """What is served, and its end."""
    async with server(tmp_path, MODULE) as its, connected(its) as client:
        assert [each.workflow_id async for each in client.workflows()] == ["asked", "held", "told"]
        whole = await client.workflow("told")
        assert whole.input_schema["properties"]["lines"]["type"] == "integer"
        assert whole.source is not None
        assert [each.version async for each in client.versions("told")] == ["1"]
        await client.retire("told")
        await client.retire("told")
        with pytest.raises(NotFoundError):
            await client.execute("told")


async def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    """What it turns away for now succeeds in the end."""
    environ = {"PERDURE_MAX_RUNNING": "1", "PERDURE_MAX_PENDING": "1"}
    transport = Noting()
    async with (
        server(tmp_path, MODULE, environ=environ) as its,
        connected(its, transport=transport) as client,
    ):
        gate = tmp_path / "gate"
        held = [await client.execute("held", {"gate": str(gate)}) for _ in range(2)]
        third = asyncio.create_task(client.run("held", {"gate": str(gate)}))
        await until_true(lambda: 503 in transport.statuses, "the third one is turned away")
        gate.touch()
        assert (await asyncio.wait_for(third, 30)).result == "let go"
        assert [(await client.wait(each.execution_id)).result for each in held] == ["let go"] * 2
