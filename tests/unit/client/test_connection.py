"""What a client does with answers that are none, and what it never shows."""

import gzip
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from perdure.api.problems import CODES, problem_reply
from perdure.client import (
    AddressError,
    ApiError,
    Client,
    ClientError,
    NotFoundError,
    NotReachableError,
    UnexpectedAnswerError,
    connection,
)
from perdure.ports.runtime import Problem, RefusedError
from tests.support.scripted_server import ID, TOKEN, ScriptedServer, a_whole, problem, reply

URL = "http://perdure.test"


def a_client(server: ScriptedServer, url: str = URL, token: str | None = TOKEN) -> Client:
    return Client(url, token, retry_for="0s", transport=server)


async def refusal(answer: httpx.Response | Exception) -> ClientError:
    async with a_client(ScriptedServer(answer)) as client:
        with pytest.raises(ClientError) as caught:
            await client.execution(ID)
        return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>welcome</html>"),
        httpx.Response(200, json={"status": "running"}),
        httpx.Response(200, json=a_whole("exploded")),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(302, headers={"location": "https://elsewhere.test/"}),
    ],
)
async def test_another_api_is_told(answer: httpx.Response) -> None:
    error = await refusal(answer)
    assert isinstance(error, UnexpectedAnswerError)
    assert str(error).startswith("http://perdure.test is no server of this API: ")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<h1>Not Found</h1>"),
        httpx.Response(404, content=b"\xff"),
        httpx.Response(404, json=[1]),
        httpx.Response(404, json={"detail": 5}),
        httpx.Response(404, content=b'{"detail": "' + b"x" * 2_000_000 + b'"}'),
    ],
)
async def test_a_refusal_without_a_problem_is_one_all_the_same(answer: httpx.Response) -> None:
    error = await refusal(answer)
    assert isinstance(error, NotFoundError)
    assert error.code == ""
    assert error.detail == "http://perdure.test answers with 404 Not Found and says no more"


@pytest.mark.parametrize("code", CODES)
async def test_every_problem_of_the_server_is_understood(code: str) -> None:
    refused = RefusedError(code, "so it is", problems=[Problem("/inputs", "is wrong")])
    made = problem_reply(refused, doing="testing")
    headers = [(name.decode(), value.decode()) for name, value in made.headers]
    error = await refusal(httpx.Response(made.status, content=made.body, headers=headers))
    assert isinstance(error, ApiError)
    assert (error.status, error.code, error.detail) == (CODES[code].status, code, "so it is")
    assert [each.message for each in error.errors] == ["is wrong"]
    assert error.retry_after_s == CODES[code].retry_after_s
    if error.status < 500:
        assert type(error) is not ApiError or error.status == 405


async def test_an_answer_is_read_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_LIMIT_BYTES", 100_000)
    packed = gzip.compress(b" " * 50_000_000)
    assert len(packed) < 100_000
    server = ScriptedServer(
        lambda _: httpx.Response(200, content=packed, headers={"content-encoding": "gzip"})
    )
    async with a_client(server) as client:
        with pytest.raises(UnexpectedAnswerError, match="more than 100,000 bytes"):
            await client.execution(ID)


async def test_a_body_that_breaks_off_is_told() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"execution_id":'
        raise httpx.RemoteProtocolError("peer closed connection")

    server = ScriptedServer(lambda _: httpx.Response(200, content=pieces()))
    async with a_client(server) as client:
        with pytest.raises(NotReachableError, match="peer closed connection"):
            await client.execution(ID)


async def test_a_body_that_does_not_unpack_is_told() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"no gzip"

    headers = {"content-encoding": "gzip"}
    server = ScriptedServer(lambda _: httpx.Response(200, content=pieces(), headers=headers))
    async with a_client(server) as client:
        with pytest.raises(UnexpectedAnswerError, match="does not unpack"):
            await client.execution(ID)


async def test_the_token_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = ScriptedServer(
        problem(401, "unauthorized"), httpx.ReadError("broken"), reply(200, a_whole())
    )
    async with a_client(server) as client:
        shown = [repr(client), str(vars(client)), str(vars(client._connection))]
        for _ in range(2):
            with pytest.raises(ClientError) as caught:
                await client.execution(ID)
            shown += [str(caught.value), repr(caught.value), str(vars(caught.value))]
        await client.execution(ID)
    assert server.headers("authorization") == [f"Bearer {TOKEN}"] * 3
    assert TOKEN not in "".join(shown) + caplog.text


@pytest.mark.parametrize("token", ["prd_secret\n", "prd secret", "prd_sécret", "", "\0prd_secret"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(AddressError) as caught:
        Client(URL, token)
    assert "secret" not in str(caught.value)
    assert "PERDURE_TOKEN" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "perdure.test",
        "ftp://perdure.test",
        "http://",
        "http://perdure.test/?a=b",
        "http://perdure.test/#top",
        "http://admin:prd_secret@perdure.test",
        "http://perdure.test:port",
        "http://[::1",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        Client(url, TOKEN)
    assert "prd_secret" not in str(caught.value)
    assert "PERDURE_URL" in str(caught.value)


async def test_address_and_token_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_URL", "https://perdure.test/below/")
    monkeypatch.setenv("PERDURE_TOKEN", TOKEN)
    server = ScriptedServer(reply(200, a_whole()))
    async with Client(transport=server) as client:
        await client.execution(ID)
        assert client.url == "https://perdure.test/below"
    [request] = server.requests
    assert str(request.url) == f"https://perdure.test/below/api/executions/{ID}?logs=100"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_the_defaults_are_this_machine_without_a_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PERDURE_URL", raising=False)
    monkeypatch.setenv("PERDURE_TOKEN", "")
    server = ScriptedServer(reply(200, a_whole()))
    async with Client(transport=server) as client:
        await client.execution(ID)
    [request] = server.requests
    assert str(request.url).startswith("http://127.0.0.1:8000/api/")
    assert "authorization" not in request.headers


async def test_ids_stay_one_part_of_the_path() -> None:
    server = ScriptedServer(problem(404, "unknown_execution"))
    async with a_client(server) as client:
        for id_ in ("../workflows", "a b?x=1", "exec-1/cancel#"):
            with pytest.raises(NotFoundError):
                await client.cancel(id_)
        with pytest.raises(NotFoundError):
            await client.send_event(ID, "a/b ö")
    assert [each.partition("?")[0] for each in server.asked] == [
        "POST /api/executions/..%2Fworkflows/cancel",
        "POST /api/executions/a%20b%3Fx%3D1/cancel",
        "POST /api/executions/exec-1%2Fcancel%23/cancel",
        f"POST /api/executions/{ID}/events/a%2Fb%20%C3%B6",
    ]
