"""Waiting for an end, and reading a log on while it grows: in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.client import (
    Client,
    ExecutionCancelledError,
    ExecutionFailedError,
    NotFoundError,
)
from tests.support.scripted_server import (
    ID,
    TOKEN,
    ScriptedServer,
    a_failure,
    a_record,
    a_whole,
    problem,
    reply,
)
from tests.support.virtual_time import run_virtually

T = TypeVar("T")
EXECUTION = f"/api/executions/{ID}"


class GrowingServer(httpx.AsyncBaseTransport):
    """An execution that logs and changes at given seconds, on a server that waits if it is asked.

    `lines` are the seconds at which a line is logged; it ends at `ends_s` as `end`.
    """

    def __init__(
        self, ends_s: float, lines: list[float], *, end: str = "completed", waits: bool = True
    ) -> None:
        self.ends_s = ends_s
        self.end = end
        self.lines = sorted(lines)
        self.waits = waits
        self.looks = 0
        self.read = 0
        self.longest_page = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        if request.url.path.endswith("/logs"):
            return self._page(request, loop.time())
        self.looks += 1
        prefer = request.headers.get("prefer", "")
        if self.waits and prefer and loop.time() < self.ends_s:
            await asyncio.sleep(min(float(prefer.removeprefix("wait=")), self.ends_s - loop.time()))
        ended = loop.time() >= self.ends_s
        return httpx.Response(200, json=a_whole(self.end if ended else "running"))

    def _page(self, request: httpx.Request, now_s: float) -> httpx.Response:
        query = request.url.params
        limit, after = int(query["limit"]), int(query.get("cursor", "c0")[1:])
        there = [a_record(n) for n, at_s in enumerate(self.lines, 1) if at_s <= now_s and n > after]
        shown = there[:limit]
        self.read += len(shown)
        cursor = f"c{shown[-1]['seq']}" if len(there) > limit else None
        return httpx.Response(200, json={"logs": shown, "next_cursor": cursor})


def with_client(server: httpx.AsyncBaseTransport, work: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Client("http://perdure.test", TOKEN, transport=server) as client:
            return await work(client)

    return run_virtually(run())


async def sequence(client: Client) -> list[int]:
    return [record.seq async for record in client.follow_logs(ID)]


def test_an_end_is_known_at_once_and_after_few_requests() -> None:
    server = GrowingServer(100.5, [])

    async def wait(client: Client) -> float:
        assert (await client.wait(ID)).status == "completed"
        return asyncio.get_running_loop().time()

    assert with_client(server, wait) == 100.5
    assert server.looks == 5


def test_an_answer_is_waited_for_longer_than_the_server_waits() -> None:
    server = ScriptedServer(reply(200, a_whole()), reply(200, a_whole("completed")))
    with_client(server, lambda client: client.wait(ID))
    first, second = (each.extensions["timeout"]["read"] for each in server.requests)
    assert (first, second) == (30, 60)


def test_a_server_that_does_not_wait_is_asked_after_growing_pauses() -> None:
    server = GrowingServer(100.5, [], waits=False)

    async def wait(client: Client) -> float:
        await client.wait(ID)
        return asyncio.get_running_loop().time()

    assert 100.5 <= with_client(server, wait) <= 102.5
    assert server.looks < 60


def test_a_wait_outlives_a_restart_of_the_server() -> None:
    server = ScriptedServer(
        reply(200, a_whole()),
        httpx.ReadError("reset"),
        httpx.ConnectError("refused"),
        problem(503, "shutting_down", retry_after=2),
        reply(200, a_whole("completed")),
    )

    async def wait(client: Client) -> object:
        return (await client.wait(ID)).result

    assert with_client(server, wait) == {"rain": 3}
    assert server.headers("prefer") == [None, *["wait=30"] * 4]


@pytest.mark.parametrize(
    ("end", "kind", "said"),
    [
        (
            a_whole("failed", error=a_failure()),
            ExecutionFailedError,
            f"{ID} of weather failed at /observe: Runtime error: no rain",
        ),
        (a_whole("cancelled"), ExecutionCancelledError, f"{ID} of weather cancelled"),
    ],
)
def test_other_ends_are_raised_unless_they_are_not_to(
    end: dict[str, object], kind: type[ExecutionFailedError], said: str
) -> None:
    server = ScriptedServer(reply(200, end))

    async def wait(client: Client) -> None:
        with pytest.raises(kind) as caught:
            await client.wait(ID)
        assert str(caught.value) == said
        assert caught.value.execution == await client.wait(ID, check=False)

    with_client(server, wait)


@given(
    st.floats(0, 30),
    st.lists(st.floats(0, 30), max_size=40),
    st.integers(0, 2_500),
    st.booleans(),
)
def test_following_a_log_sees_each_line_once_and_in_order(
    ends_s: float, later: list[float], at_once: int, waits: bool
) -> None:
    lines = [*([0.0] * at_once), *(at_s for at_s in later if at_s <= ends_s)]
    server = GrowingServer(ends_s, lines, waits=waits)
    assert with_client(server, sequence) == list(range(1, len(lines) + 1))


def test_following_a_long_log_does_not_read_it_again_and_again() -> None:
    server = GrowingServer(60, [0.0] * 5_500)
    assert len(with_client(server, sequence)) == 5_500
    assert server.read <= 5_500 + 60 * 100 + 1_000
    assert server.looks <= 62


def test_following_shows_the_status_and_its_end() -> None:
    server = GrowingServer(2.5, [0.5, 2.2], end="failed")

    async def follow(client: Client) -> list[tuple[str, list[int]]]:
        return [
            (str(seen.execution.status), [each.seq for each in seen.logs])
            async for seen in client.follow(ID)
        ]

    assert with_client(server, follow) == [
        ("running", []),
        ("running", [1]),
        ("running", []),
        ("failed", [2]),
    ]


def test_filters_choose_what_is_followed() -> None:
    server = ScriptedServer(reply(200, a_whole("completed")))
    server.at_path[f"{EXECUTION}/logs"] = lambda _: reply(200, {"logs": [], "next_cursor": None})

    async def follow(client: Client) -> None:
        async for _ in client.follow_logs(ID, min_level="WARNING", task="observe"):
            pass

    with_client(server, follow)
    assert server.asked == [
        f"GET {EXECUTION}?logs=0",
        f"GET {EXECUTION}/logs?min_level=WARNING&task=observe&limit=1000",
    ]


def test_following_what_is_not_there_is_told() -> None:
    server = ScriptedServer(problem(404, "unknown_execution"))

    async def follow(client: Client) -> None:
        with pytest.raises(NotFoundError):
            await sequence(client)

    with_client(server, follow)
