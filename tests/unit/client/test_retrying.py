"""When a request is tried again, and after how long: in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.client import (
    Client,
    ConflictError,
    NotReachableError,
    RefusedInputError,
    UnavailableError,
)
from perdure.client.retrying import LONGEST_PAUSE_S, Retrying, retry_after_s
from tests.support.scripted_server import ID, TOKEN, ScriptedServer, a_head, a_whole, problem, reply
from tests.support.virtual_time import run_virtually

T = TypeVar("T")
NOW_S = 1_771_864_200.0
REFUSED = httpx.ConnectError("Connection refused")
LOST = httpx.ReadError("Connection reset by peer")


def called(
    server: ScriptedServer, call: Callable[[Client], Awaitable[T]], retry_for: str = "30s"
) -> tuple[T, float]:
    """What a call returns, and the seconds that it took."""

    async def run() -> tuple[T, float]:
        async with Client(
            "http://perdure.test", TOKEN, retry_for=retry_for, transport=server
        ) as client:
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            return await call(client), loop.time() - began_s

    return run_virtually(run())


def look(client: Client) -> Awaitable[Any]:
    return client.execution(ID)


def http_date(at_s: float) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "9" * 400}, 999_999_999),
        ({"retry-after": http_date(NOW_S + 9)}, 9),
        ({"retry-after": http_date(NOW_S - 9)}, 0),
        ({"retry-after": http_date(NOW_S + 9), "date": http_date(NOW_S + 5)}, 4),
        ({"retry-after": http_date(NOW_S + 9), "date": "yesterday"}, 9),
        ({"retry-after": "Mon, 99 Foo 99999 99:99:99 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, lambda: NOW_S) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_breaks_a_client(text: str) -> None:
    found = retry_after_s({"retry-after": text, "date": text}, lambda: NOW_S)
    assert found is None or found >= 0


@given(
    st.integers(1, 10_000),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1),
)
def test_pauses_are_bounded_and_never_shorter_than_asked(
    tries: int, asked_s: float | None, chance: float
) -> None:
    pause_s = Retrying(30, chance=lambda: chance).pause_s(tries, asked_s)
    if asked_s is None:
        assert 0.05 <= pause_s <= LONGEST_PAUSE_S
    else:
        assert asked_s <= pause_s <= max(asked_s, 0.1) * 1.1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_succeed_later_is_tried_again_when_the_server_says(status: int) -> None:
    server = ScriptedServer(problem(status, "overloaded", retry_after=7), reply(200, a_whole()))
    found, took_s = called(server, look)
    assert found.execution_id == ID
    assert 7 <= took_s <= 7.7


@pytest.mark.parametrize("fault", [REFUSED, LOST, httpx.ReadTimeout("slow")])
def test_a_broken_connection_is_tried_again_after_growing_pauses(fault: Exception) -> None:
    server = ScriptedServer(fault, fault, fault, fault, reply(200, a_whole()))
    _, took_s = called(server, look)
    assert len(server.requests) == 5
    assert 0.75 <= took_s <= 1.5


def test_the_time_of_all_tries_is_bounded() -> None:
    server = ScriptedServer(REFUSED)

    async def until_given_up(client: Client) -> str:
        with pytest.raises(NotReachableError) as caught:
            await client.execution(ID)
        return str(caught.value)

    said, took_s = called(server, until_given_up, "10s")
    assert said == "http://perdure.test does not answer: Connection refused"
    assert 5 <= took_s <= 10
    assert len(server.requests) > 3


def test_who_is_asked_to_come_back_too_late_gives_up_at_once() -> None:
    server = ScriptedServer(problem(503, "overloaded", retry_after=60))

    async def until_given_up(client: Client) -> float | None:
        with pytest.raises(UnavailableError) as caught:
            await client.execution(ID)
        return caught.value.retry_after_s

    asked_s, took_s = called(server, until_given_up)
    assert (asked_s, took_s) == (60, 0)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.LocalProtocolError("Illegal header value"),
        httpx.ProxyError("407 Proxy Authentication Required"),
        httpx.UnsupportedProtocol("no such protocol"),
    ],
)
def test_a_fault_that_does_not_pass_is_told_at_once(fault: Exception) -> None:
    server = ScriptedServer(fault, reply(200, a_whole()))

    async def fails(client: Client) -> None:
        with pytest.raises(NotReachableError):
            await client.execution(ID)

    called(server, fails)
    assert len(server.requests) == 1


def test_no_second_try_where_none_is_wanted() -> None:
    server = ScriptedServer(REFUSED, reply(200, a_whole()))

    async def fails(client: Client) -> None:
        with pytest.raises(NotReachableError):
            await client.execution(ID)

    called(server, fails, "0s")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 501])
def test_what_will_not_succeed_later_is_not_tried_again(status: int) -> None:
    server = ScriptedServer(problem(status, "x"), reply(200, a_whole()))

    async def fails(client: Client) -> None:
        with pytest.raises(Exception, match=f"no \\({status} x\\)"):
            await client.execution(ID)

    called(server, fails)
    assert len(server.requests) == 1


def test_a_start_is_repeated_under_the_same_key() -> None:
    server = ScriptedServer(LOST, problem(503, "overloaded"), reply(202, a_head()))
    called(server, lambda client: client.execute("weather", {"query": "rain"}))
    called(server, lambda client: client.execute("weather"))
    keys = server.headers("idempotency-key")
    assert keys[0] is not None
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert len({each.content for each in server.requests[:3]}) == 1


def test_a_key_of_the_caller_is_sent() -> None:
    server = ScriptedServer(reply(202, a_head()))
    called(server, lambda client: client.execute("weather", idempotency_key="mine"))
    assert server.headers("idempotency-key") == ["mine"]


def test_an_event_is_repeated_under_the_same_id() -> None:
    receipt = {"execution_id": ID, "name": "paid", "id": "1", "duplicate": False}
    server = ScriptedServer(LOST, reply(202, receipt))
    called(server, lambda client: client.send_event(ID, "paid", {"amount": 3}))
    first, second = server.body(0), server.body(1)
    assert first == second
    assert first["data"] == {"amount": 3}
    assert first["id"]


@pytest.mark.parametrize(
    ("what", "code", "now"),
    [
        ("cancel", "already_ended", "cancelled"),
        ("pause", "already_paused", "paused"),
        ("resume", "not_paused", "running"),
        ("resume", "already_ended", "completed"),
    ],
)
@pytest.mark.parametrize("lost", [LOST, problem(504, "")])
def test_a_change_whose_answer_was_lost_is_found_done(
    what: str, code: str, now: str, lost: Exception | httpx.Response
) -> None:
    server = ScriptedServer(lost, problem(409, code), reply(200, a_whole(now)))
    head, _ = called(server, lambda client: getattr(client, what)(ID))
    assert head.status == now
    assert server.asked[-1] == f"GET /api/executions/{ID}?logs=0"


@pytest.mark.parametrize(
    ("what", "code", "now"),
    [
        ("cancel", "already_ended", "completed"),
        ("pause", "already_ended", "failed"),
        ("resume", "conflict", "paused"),
    ],
)
def test_a_change_that_came_too_late_is_told_also_after_a_lost_answer(
    what: str, code: str, now: str
) -> None:
    server = ScriptedServer(LOST, problem(409, code), reply(200, a_whole(now)))

    async def fails(client: Client) -> None:
        with pytest.raises(ConflictError) as caught:
            await getattr(client, what)(ID)
        assert caught.value.code == code

    called(server, fails)


@pytest.mark.parametrize("before", [REFUSED, problem(503, "overloaded")])
def test_a_change_that_never_arrived_was_not_done_by_us(
    before: Exception | httpx.Response,
) -> None:
    server = ScriptedServer(before, problem(409, "already_paused"))

    async def fails(client: Client) -> None:
        with pytest.raises(ConflictError):
            await client.pause(ID)

    called(server, fails)
    assert len(server.requests) == 2


def test_what_is_refused_says_everything_that_is_wrong() -> None:
    errors = [{"location": "/inputs/query", "message": "is missing"}]
    server = ScriptedServer(problem(422, "invalid_inputs", "the inputs do not fit", errors=errors))

    async def fails(client: Client) -> RefusedInputError:
        with pytest.raises(RefusedInputError) as caught:
            await client.execute("weather")
        return caught.value

    error, _ = called(server, fails)
    assert (error.status, error.code, error.detail) == (
        422,
        "invalid_inputs",
        "the inputs do not fit",
    )
    assert [(each.location, each.message) for each in error.errors] == [
        ("/inputs/query", "is missing")
    ]
    assert str(error) == ("the inputs do not fit (422 invalid_inputs)\n  /inputs/query: is missing")
