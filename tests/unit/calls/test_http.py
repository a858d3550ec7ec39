"""Calls over HTTP, to real servers on loopback: outputs, statuses, and what is sent."""

import base64
import contextlib
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from perdure.authoring.context import TaskContext, task_context
from perdure.calls.egress import Egress
from perdure.calls.http import HttpCalls
from perdure.model.exceptions import FailedError
from perdure.model.failure import Failure
from perdure.ports.calls import Basic, Bearer, HttpRequest
from tests.support.http_answers import answer, answering

JSON = {"Content-Type": "application/json; charset=utf-8"}


@contextlib.asynccontextmanager
async def called() -> AsyncIterator[HttpCalls]:
    calls = HttpCalls(Egress(["127.0.0.0/8"]))
    try:
        yield calls
    finally:
        await calls.close()


async def call(url: str, method: str = "get", **options: Any) -> Any:
    async with called() as calls:
        request = HttpRequest(method=method, uri=url, **options)
        return msgspec.json.decode(await calls.http(request))


async def failed(url: str, method: str = "get", **options: Any) -> Failure:
    with pytest.raises(FailedError) as caught:
        await call(url, method, **options)
    return caught.value.failure


# -- outputs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body", "content"),
    [
        (JSON, b'{"id": 1, "tags": ["a"]}', {"id": 1, "tags": ["a"]}),
        ({"content-type": "application/vnd.pet+json"}, b"[1]", [1]),
        ({"content-type": "application/problem+json"}, b'"x"', "x"),
        ({"content-type": "text/json"}, b"null", None),
        (JSON, b"\xef\xbb\xbf1", 1),
        ({"content-type": "text/plain"}, b'{"id": 1}', '{"id": 1}'),
        ({"content-type": "text/plain"}, "ü€".encode(), "ü€"),
        ({"content-type": "text/plain; charset=iso-8859-1"}, b"\xfc", "ü"),
        ({"content-type": 'text/plain; charset="utf-16"'}, "ü".encode("utf-16"), "ü"),
        ({"content-type": "text/plain; charset=punycode"}, b"a\xff", "a\ufffd"),
        ({"content-type": "text/plain; charset=nothing"}, b"a", "a"),
        ({"content-type": "application/xml"}, b"<a/>", "<a/>"),
        ({"content-type": "application/octet-stream"}, b"\0\1", "AAE="),
        ({"content-type": "image/png"}, b"abc", "YWJj"),
        ({}, b"plain", "plain"),
        ({}, b"\xff\xfe", "//4="),
        (JSON, b"", None),
        ({"content-type": "text/plain"}, b"", None),
    ],
)
async def test_content_is_json_text_or_base64(
    headers: dict[str, str], body: bytes, content: object
) -> None:
    async with answering(answer(200, body, headers)) as server:
        assert await call(server.url) == content
        response = await call(server.url, output="response")
        assert response["content"] == content


@pytest.mark.parametrize("body", [b"", b"\0\xff", b'{"id": 1}'])
async def test_raw_is_the_body_in_base64(body: bytes) -> None:
    async with answering(answer(200, body, JSON)) as server:
        assert base64.b64decode(await call(server.url, output="raw")) == body


async def test_a_response_has_the_request_the_status_and_the_headers() -> None:
    async with answering(answer(201, b"{}", {**JSON, "X-A": "1", "x-a": "2"})) as server:
        response = await call(
            server.url + "/pets?a=b",
            "post",
            body={"name": "milou"},
            headers={"X-Trace": "t"},
            query={"c": "d e"},
            output="response",
        )
        assert response["statusCode"] == 201
        assert response["headers"]["content-type"] == "application/json; charset=utf-8"
        assert response["headers"]["x-a"] == "1, 2"
        assert response["request"]["method"] == "POST"
        assert response["request"]["uri"] == server.url + "/pets?a=b&c=d%20e"
        assert response["request"]["headers"]["x-trace"] == "t"
        assert response["content"] == {}


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
)
async def test_answers_may_be_compressed(coding: str, compress: Any) -> None:
    body = compress(b"[" + b"1," * 50_000 + b"1]")
    async with answering(answer(200, body, {**JSON, "content-encoding": coding})) as server:
        assert len(await call(server.url)) == 50_001


async def test_deflate_may_be_bare_and_gzip_in_several_members() -> None:
    engine = zlib.compressobj(wbits=-15)
    bare = engine.compress(b"[1,2]") + engine.flush()
    async with answering(answer(200, bare, {**JSON, "content-encoding": "deflate"})) as server:
        assert await call(server.url) == [1, 2]
    members = gzip.compress(b"[1,") + gzip.compress(b"2]")
    async with answering(answer(200, members, {**JSON, "content-encoding": "gzip"})) as server:
        assert await call(server.url) == [1, 2]


async def test_an_answer_to_head_has_no_body() -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    async with answering(answer(200, b"", headers)) as server:
        assert await call(server.url, "head") is None


# -- what is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "content_type", "sent"),
    [
        ({"a": [1, "ü"]}, {}, "application/json", '{"a":[1,"ü"]}'.encode()),
        ([1], {}, "application/json", b"[1]"),
        (7, {}, "application/json", b"7"),
        (True, {}, "application/json", b"true"),
        (None, {}, "application/json", b"null"),
        ("text", {}, "text/plain; charset=utf-8", b"text"),
        ('{"a":1}', {"Content-Type": "application/json"}, "application/json", b'{"a":1}'),
        ("<a/>", {"content-type": "application/xml"}, "application/xml", b"<a/>"),
        ({}, {"content-type": "application/ld+json"}, "application/ld+json", b"{}"),
        (
            {"a": "b c", "d": [1, True], "e": None},
            {"content-type": "application/x-www-form-urlencoded"},
            "application/x-www-form-urlencoded",
            b"a=b+c&d=1&d=true&e=",
        ),
    ],
)
async def test_bodies(
    body: object, headers: dict[str, str], content_type: str, sent: bytes
) -> None:
    async with answering(answer(204)) as server:
        assert await call(server.url, "post", body=body, headers=headers) is None
    (asked,) = server.asked
    assert (asked.body, asked.headers["content-type"]) == (sent, content_type)
    assert asked.headers["content-length"] == str(len(sent))


async def test_a_request_as_it_is_sent() -> None:
    async with answering(answer(204)) as server:
        await call(
            server.url + "/a%2Fb/ü?x=1",
            "patch",
            headers={"X-Name": "Zoë", "Accept": "text/plain"},
            query={"tag": ["a&b", "c+d"], "y": "ä"},
        )
    (asked,) = server.asked
    assert asked.method == "PATCH"
    assert asked.target == "/a%2Fb/%C3%BC?x=1&tag=a%26b&tag=c%2Bd&y=%C3%A4"
    assert asked.headers == {
        "host": f"127.0.0.1:{server.port}",
        "x-name": "Zoë".encode().decode("latin-1"),
        "accept": "text/plain",
        "accept-encoding": "gzip, deflate",
        "user-agent": "perdure",
        "content-length": "0",
    }


async def test_authentication() -> None:
    async with answering(answer(204)) as server:
        await call(server.url, authentication=Basic(username="me", password="pa:ß"))
        await call(server.url, authentication=Bearer(token="abc.def"))
    basic, bearer = server.asked
    pair = base64.b64encode("me:pa:ß".encode()).decode()
    assert basic.headers["authorization"] == f"Basic {pair}"
    assert bearer.headers["authorization"] == "Bearer abc.def"


def context(position: str) -> TaskContext:
    return TaskContext(
        execution_id="exec-1",
        workflow_id="w",
        position=position,
        name="t",
        attempt=2,
        stop_requested=lambda: False,
    )


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete"])
async def test_what_changes_something_has_an_idempotency_key(method: str) -> None:
    token = task_context.set(context("/do/0/get ü@1"))
    try:
        async with answering(answer(204)) as server:
            await call(server.url, method)
            await call(server.url, method, headers={"Idempotency-Key": "mine"})
    finally:
        task_context.reset(token)
    first, second = server.asked
    key = None if method in ("get", "head") else "exec-1:/do/0/get%20%C3%BC@1"
    assert first.headers.get("idempotency-key") == key
    assert second.headers["idempotency-key"] == "mine"


async def test_long_idempotency_keys_are_shortened_and_still_differ() -> None:
    async with answering(answer(204)) as server:
        for number in (1, 1, 2):
            token = task_context.set(context(f"/do/{'x' * 400}/{number}"))
            await call(server.url, "post")
            task_context.reset(token)
    first, again, other = (asked.headers["idempotency-key"] for asked in server.asked)
    assert first == again != other
    assert len(first) <= 255


async def test_connections_are_used_again_and_cookies_are_not_kept() -> None:
    async with answering(answer(200, b"1", {"set-cookie": "a=b"})) as server, called() as calls:
        for _ in range(3):
            await calls.http(HttpRequest(method="get", uri=server.url))
            assert server.open == 1
    assert all("cookie" not in asked.headers for asked in server.asked)


# -- statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "title"), [(404, "Not Found"), (503, "Service Unavailable"), (599, "The answer is")]
)
async def test_an_error_is_a_communication_failure_of_its_status(status: int, title: str) -> None:
    async with answering(answer(status, b"no such pet", JSON)) as server:
        failure = await failed(server.url + "/pet/7?key=hush")
    assert failure.type.endswith("/errors/communication")
    assert failure.status == status
    assert failure.title.startswith(title)
    assert failure.detail.startswith(f"GET {server.url}/pet/7 answered {status}")
    assert failure.detail.endswith(": no such pet")
    assert "hush" not in failure.detail


async def test_only_the_begin_of_an_error_text_is_shown() -> None:
    for size in (600, 100_000):
        async with answering(answer(500, b"x" * size)) as server:
            failure = await failed(server.url)
        assert failure.status == 500
        assert failure.detail.endswith("x" * 500 + " …")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_without_redirect_any_other_status_is_an_error(status: int) -> None:
    async with answering(answer(status, b"", {"location": "/"})) as server:
        assert (await failed(server.url)).status == status
    assert len(server.asked) == 1


async def test_credentials_show_neither_in_failures_nor_in_responses() -> None:
    echo = b'{"you": "Bearer s3cr3t-token", "key": "t\\"op", "quoted": "t%22op"}'
    options: dict[str, Any] = {
        "authentication": Bearer(token="s3cr3t-token"),
        "headers": {"X-Key": 't"op', "Cookie": "session=1"},
        "query": {"key": 't"op'},
        "confidential": ('t"op',),
    }
    async with answering(answer(403, echo)) as server:
        failure = await failed(server.url, **options)
    assert failure.detail.endswith('{"you": "Bearer ***", "key": "***", "quoted": "***"}')
    async with answering(answer(200, b"1")) as server:
        response = await call(server.url, output="response", **options)
    assert server.asked[0].headers["x-key"] == 't"op'
    assert response["request"]["headers"]["authorization"] == "***"
    assert response["request"]["headers"]["cookie"] == "***"
    assert response["request"]["headers"]["x-key"] == "***"
    assert response["request"]["uri"] == server.url + "?key=***"


# -- what cannot be sent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "GET /x HTTP/1.1\r\nX: y"}, "no method"),
        ({"method": ""}, "no method"),
        ({"method": "CONNECT"}, "no method"),
        ({"uri": "ftp://example.com/"}, "'ftp' cannot be called"),
        ({"uri": "file:///etc/passwd"}, "'file' cannot be called"),
        ({"uri": "/pets"}, "no absolute URI"),
        ({"uri": ""}, "no absolute URI"),
        ({"uri": "//example.com/"}, "no absolute URI"),
        ({"uri": "http://"}, "is no host"),
        ({"uri": "http:///x"}, "is no host"),
        ({"uri": "http://me:secret@example.com/"}, "has a user before its host 'example.com'"),
        ({"uri": "http://good.com\\@127.0.0.1/"}, "has a user"),
        ({"uri": "http://a\r\nb/"}, "no URI"),
        ({"uri": "http://example.com/\r\nX: y"}, "no URI"),
        ({"uri": "http://exa%6dple.com/"}, "is no host"),
        ({"uri": "http://[::1/"}, "no URI"),
        ({"uri": "http://[::1].evil/"}, "no URI|no host"),
        ({"uri": "http://127.0.0.1:99999/"}, "no port"),
        ({"uri": "http://127.0.0.1:-1/"}, "no port|no URI"),
        ({"uri": "http://127.0.0.1:x/"}, "no URI"),
        ({"uri": "http://256.1.1.1/"}, "no URI"),
        ({"uri": "http://0177.0.0.01/"}, "no URI"),
        ({"uri": "http://\uff11\uff12\uff17.0.0.1/"}, "no URI|no host"),
        ({"uri": "http://example.com/" + "x" * 20_000}, "more than 16,000"),
        ({"uri": "http://example.com/" + "x" * 70_000}, "no URI"),
        ({"headers": {"X": "a\r\nY: b"}}, "a line break"),
        ({"headers": {"X": "a\0"}}, "a line break"),
        ({"headers": {"X\r\nY": "b"}}, "no name of a header"),
        ({"headers": {"X:": "b"}}, "no name of a header"),
        ({"headers": {"": "b"}}, "no name of a header"),
        ({"headers": {"Host": "other"}}, "set by perdure"),
        ({"headers": {"Content-Length": "3"}}, "set by perdure"),
        ({"headers": {"transfer-encoding": "chunked"}}, "set by perdure"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "given twice"),
        ({"headers": {f"X-{number}": "x" * 7_000 for number in range(10)}}, "more than 65,536"),
        ({"body": {"a": 1}, "headers": {"content-type": "text/xml"}}, "has to be a string"),
        (
            {
                "body": {"a": {"b": 1}},
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
            "field 'a'",
        ),
        (
            {"body": [1], "headers": {"content-type": "application/x-www-form-urlencoded"}},
            "an object or a string",
        ),
        ({"authentication": Basic(username="a:b", password="c")}, "colon"),
        ({"authentication": Bearer(token="a\r\nX: y")}, "visible ASCII"),
    ],
)
async def test_what_cannot_be_sent_is_told(options: dict[str, Any], said: str) -> None:
    given = {"method": "get", "uri": "http://example.com/", **options}
    with pytest.raises(FailedError, match=said) as caught:
        async with called() as calls:
            await calls.http(HttpRequest(**given))
    assert caught.value.failure.type.endswith("/errors/validation")
    assert caught.value.failure.status == 400
    assert "secret" not in caught.value.failure.detail
