"""Connections: used again while they are fresh, closed otherwise, and so many at most."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls, HttpLimits
from perdure.ports.calls import HttpRequest
from tests.support.eventually import eventually
from tests.support.http_answers import Answers, Asked, answer, answering


@contextlib.asynccontextmanager
async def called(**limits: Any) -> AsyncIterator[HttpCalls]:
    calls = HttpCalls(Egress(["127.0.0.1"]), limits=HttpLimits(**limits))
    try:
        yield calls
    finally:
        await calls.close()


async def call(calls: HttpCalls, server: Answers) -> None:
    await calls.http(HttpRequest(method="get", uri=server.url))


async def test_a_connection_is_used_again() -> None:
    async with answering(answer(200, b"1")) as server:
        async with called() as calls:
            for _ in range(3):
                await call(calls, server)
            assert server.open == server.most_open == 1
        await eventually(lambda: not server.open)


async def test_one_that_the_server_has_closed_is_not() -> None:
    async def handle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answer(200, b"1")(asked, writer)
        await writer.drain()
        writer.close()

    async with answering(handle) as server, called() as calls:
        for number in range(3):
            await call(calls, server)
            await eventually(lambda: not server.open)
            assert len(server.asked) == number + 1


async def test_one_that_has_waited_for_too_long_is_not() -> None:
    async with answering(answer(200, b"1")) as server, called(idle_s=0.0) as calls:
        for _ in range(3):
            await call(calls, server)
            await eventually(lambda: not server.open)
    assert len(server.asked) == 3


async def test_calls_at_the_same_time_wait_for_a_connection() -> None:
    async with answering(answer(200, b"1")) as server, called(connections=4) as calls:
        await asyncio.gather(*(call(calls, server) for _ in range(40)))
        assert server.most_open <= 4
        await eventually(lambda: server.open == 1)
    assert len(server.asked) == 40


async def test_connections_of_many_hosts_do_not_pile_up() -> None:
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(answering(answer(200, b"1"))) for _ in range(6)]
        calls = await stack.enter_async_context(called(connections=8))
        for server in servers:
            await call(calls, server)
        await eventually(lambda: sum(server.open for server in servers) == 2)
        assert [server.open for server in servers] == [0, 0, 0, 0, 1, 1]


async def test_a_call_that_gives_up_waiting_leaves_no_trace() -> None:
    async with answering(answer(200, b"1")) as server, called(connections=1) as calls:
        first = asyncio.create_task(call(calls, server))
        others = [asyncio.create_task(call(calls, server)) for _ in range(3)]
        await asyncio.sleep(0)
        for other in others:
            other.cancel()
        await first
        results = await asyncio.gather(*others, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await call(calls, server)
    assert len(server.asked) == 2
