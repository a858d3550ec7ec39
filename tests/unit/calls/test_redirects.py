"""Redirects: what is followed, what is sent there, and what stays behind."""

from typing import Any

import msgspec
import pytest

from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure
from perdure.ports.calls import Basic, HttpRequest
from tests.support.http_answers import Answering, Asked, answer, answering

EGRESS = ("127.0.0.1",)


async def call(url: str, method: str = "get", **options: Any) -> Any:
    calls = HttpCalls(Egress(EGRESS))
    try:
        request = HttpRequest(method=method, uri=url, redirect=True, **options)
        return msgspec.json.decode(await calls.http(request))
    finally:
        await calls.close()


async def failed(url: str, method: str = "get", **options: Any) -> Failure:
    with pytest.raises(FailedError) as caught:
        await call(url, method, **options)
    return caught.value.failure


def routed(routes: dict[str, Answering]) -> Answering:
    """Answers by the path."""

    async def handle(asked: Asked, writer: Any) -> None:
        await routes[asked.target.partition("?")[0]](asked, writer)

    return handle


def to(location: str, status: int = 302) -> Answering:
    return answer(status, b"moved", {"Location": location})


@pytest.mark.parametrize(
    ("status", "method", "followed_by"),
    [
        (301, "get", "GET"),
        (301, "post", "GET"),
        (301, "put", "PUT"),
        (302, "post", "GET"),
        (302, "delete", "DELETE"),
        (303, "post", "GET"),
        (303, "put", "GET"),
        (303, "head", "HEAD"),
        (307, "post", "POST"),
        (308, "post", "POST"),
        (308, "patch", "PATCH"),
    ],
)
async def test_the_method_that_follows(status: int, method: str, followed_by: str) -> None:
    routes = {"/a": to("/b", status), "/b": answer(200)}
    body = {} if method in ("get", "head") else {"body": {"x": 1}}
    headers = {"Idempotency-Key": "k", "X-Other": "o"}
    async with answering(routed(routes)) as server:
        await call(server.url + "/a?q=1", method, headers=headers, **body)
    first, second = server.asked
    assert (second.method, second.target) == (followed_by, "/b")
    assert second.headers["x-other"] == "o"
    if followed_by == first.method:
        assert second.body == first.body
        assert second.headers["idempotency-key"] == "k"
    else:
        assert second.body == b""
        assert not {"content-type", "content-length", "idempotency-key"} & set(second.headers)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("b", "/x/b"),
        ("../b?c=d#e", "/b?c=d"),
        ("//{host}/b", "/b"),
        ("http://{host}/b", "/b"),
        ("/ü b", "/%C3%BC%20b"),
    ],
)
async def test_locations_are_relative_to_what_was_asked(location: str, target: str) -> None:
    async def handle(asked: Asked, writer: Any) -> None:
        place = location.format(host=asked.headers["host"])
        reply = to(place.encode().decode("latin-1")) if asked.target == "/x/a" else answer(200)
        await reply(asked, writer)

    async with answering(handle) as server:
        await call(server.url + "/x/a")
    assert [asked.target for asked in server.asked] == ["/x/a", target]


async def test_the_response_is_that_of_the_last_request() -> None:
    routes = {"/a": to("/b"), "/b": answer(200, b"here")}
    async with answering(routed(routes)) as server:
        response = await call(server.url + "/a", output="response")
    assert response["request"]["uri"] == server.url + "/b"
    assert (response["statusCode"], response["content"]) == (200, "here")


@pytest.mark.parametrize("status", [300, 304, 305, 399])
async def test_what_leads_nowhere_is_an_answer(status: int) -> None:
    async with answering(answer(status, b"", {"location": "/b"})) as server:
        assert (await call(server.url, output="response"))["statusCode"] == status
    async with answering(answer(302)) as server:
        assert (await call(server.url, output="response"))["statusCode"] == 302


@pytest.mark.parametrize("status", [400, 500])
async def test_an_error_at_the_end_is_an_error(status: int) -> None:
    routes = {"/a": to("/b"), "/b": answer(status, b"oh")}
    async with answering(routed(routes)) as server:
        failure = await failed(server.url + "/a")
    assert failure.status == status
    assert failure.detail.startswith(f"GET {server.url}/b answered")


async def test_a_loop_ends() -> None:
    async with answering(routed({"/a": to("/b"), "/b": to("/a")})) as server:
        failure = await failed(server.url + "/a")
    assert failure.status == 502
    assert "more than 10 redirects" in failure.detail
    assert len(server.asked) == 11


async def test_credentials_stay_with_their_origin() -> None:
    options: dict[str, Any] = {
        "headers": {"Cookie": "a=b", "X-Key": "hush-hush", "X-Plain": "p"},
        "authentication": Basic(username="me", password="secret"),
        "confidential": ("hush-hush",),
    }
    async with answering(answer(204)) as other:
        routes = {"/a": to("/b"), "/b": to(other.url + "/c")}
        async with answering(routed(routes)) as server:
            await call(server.url + "/a", **options)
    for asked in server.asked:
        assert {"authorization", "cookie", "x-key", "x-plain"} <= set(asked.headers)
    (elsewhere,) = other.asked
    assert elsewhere.headers["host"] == f"127.0.0.1:{other.port}"
    assert elsewhere.headers["x-plain"] == "p"
    assert not {"authorization", "cookie", "x-key"} & set(elsewhere.headers)


async def test_a_confidential_body_stays_with_its_origin() -> None:
    async with answering(answer(204)) as other, answering(to(other.url, 307)) as server:
        body = {"password": "hush-hush"}
        failure = await failed(server.url, "post", body=body, confidential=("hush-hush",))
        assert failure.status == 502
        assert "the body holds what is confidential" in failure.detail
        assert not other.asked
        await call(server.url, "post", body=body)
        assert other.asked[0].body == b'{"password":"hush-hush"}'


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("file:///etc/passwd", "'file' cannot be called"),
        ("ftp://127.0.0.1/", "'ftp' cannot be called"),
        ("javascript:alert(1)", "'javascript' cannot be called"),
        ("http://me:pw@127.0.0.1/", "has a user"),
        ("http://127.0.0.1:0/", "is no port"),
        ("http://[x]/", "no URI"),
    ],
)
async def test_a_redirect_to_what_cannot_be_called_is_a_bad_answer(
    location: str, said: str
) -> None:
    async with answering(to(location)) as server:
        failure = await failed(server.url)
    assert failure.type.endswith("/errors/communication")
    assert failure.status == 502
    assert said in failure.detail


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2/", "loopback"),
        ("http://169.254.169.254/latest/meta-data/", "metadata"),
        ("http://2130706434/", "loopback"),
        ("http://[::ffff:10.0.0.1]/", "private"),
    ],
)
async def test_a_redirect_to_where_calls_may_not_go_is_refused(location: str, reason: str) -> None:
    async with answering(to(location)) as server:
        failure = await failed(server.url)
    assert failure.type.endswith("/errors/authorization")
    assert failure.status == 403
    assert reason in failure.detail
