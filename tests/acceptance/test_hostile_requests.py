"""Broken, huge, slow and hostile requests: each gets the right answer or is dropped.

None is answered with a fault of the server, none is logged as one, none leaks, and others are
answered in time meanwhile. Limits on time, which would take minutes here, are tested in
tests/unit/bootstrap/test_request_limits.py.
"""

import asyncio
import contextlib
from pathlib import Path

from tests.acceptance.prober import probing
from tests.support.raw_requests import DROPPED, answered, as_json, connection, request
from tests.support.servers import SERVED, Server, server, until_true

MODULE = SERVED / "hostile_volume.py"
EXECUTE = "POST /api/workflows/quick/execute"
LIST = "GET /api/executions"
NOBODY = "exec-0000000000000"
MB = 1024 * 1024

EMPTY = b'{"inputs": {}}'
MALFORMED = (400, "malformed_request")
INVALID = (422, "invalid_request")
Expected = tuple[int, str | None]


def executing(*headers: str, body: bytes = EMPTY) -> bytes:
    """A start with these headers, which declare the body themselves."""
    return request(EXECUTE, *headers) + body


def typed(media_type: str) -> bytes:
    return executing(f"Content-Type: {media_type}", f"Content-Length: {len(EMPTY)}")


def chunked(*parts: bytes) -> bytes:
    """A start whose body is sent in chunks."""
    head = executing("Content-Type: application/json", "Transfer-Encoding: chunked", body=b"")
    return head + b"".join(parts)


REQUESTS: dict[str, tuple[bytes, Expected]] = {
    # The head.
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", MALFORMED),
    "no version": (b"GET /healthz\r\n\r\n", (200, None)),
    "another version": (b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", MALFORMED),
    "an unknown method": (b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED),
    "a tunnel": (request("CONNECT elsewhere.test:443"), MALFORMED),
    "a header without a colon": (request(LIST, "nonsense"), MALFORMED),
    "a header that goes on": (request(LIST, "X-A: b", " c"), MALFORMED),
    "a blank before the colon": (request(LIST, "X-A : b"), MALFORMED),
    "a null in a header": (request(LIST, "X-A: a\0b"), MALFORMED),
    "bytes in a header": (request(LIST, "X-A: \xff\xfe"), (200, None)),
    "a path of bytes": (request("GET /api/executions/\xff\xfe"), MALFORMED),
    "a key of bytes": (request(LIST, key="\xff"), (401, "unauthorized")),
    "a huge head": (request(LIST, f"X-A: {'x' * 100_000}"), (431, "head_too_large")),
    "a huge path": (request(f"GET /{'x' * 100_000}"), (431, "head_too_large")),
    "a bomb of headers": (
        request(LIST, *(f"X-{n}: {n}" for n in range(10_000))), (431, "head_too_large"),
    ),
    "many headers": (request(LIST, *(f"X-{n}: {n}" for n in range(1_000))), (200, None)),
    "two lengths": (
        executing("Content-Type: application/json", "Content-Length: 1", "Content-Length: 14"),
        MALFORMED,
    ),
    "a length and chunks": (
        executing("Content-Length: 3", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), MALFORMED,
    ),
    "a negative length": (executing("Content-Length: -1"), MALFORMED),
    "a length that is no number": (executing("Content-Length: many"), MALFORMED),
    "a length beyond all numbers": (executing(f"Content-Length: {'9' * 30}"), MALFORMED),
    "an unknown transfer encoding": (executing("Transfer-Encoding: gzip"), MALFORMED),
    "an upgrade": (
        request("GET /healthz", "Connection: Upgrade", "Upgrade: websocket"), (200, None),
    ),
    "an upgrade of a start": (
        request(EXECUTE, "Connection: Upgrade", "Upgrade: h2c", body=EMPTY), MALFORMED,
    ),
    "a request for a proxy": (request("GET http://elsewhere.test/healthz"), (200, None)),
    "a foreign page": (request(EXECUTE, "Origin: http://evil.test"), (403, "forbidden_origin")),
    # The path.
    "a null in the path": (request("GET /api/executions/a%00b"), (404, "unknown_execution")),
    "an encoded slash": (request("GET /api/executions/a%2Fb"), (404, "unknown_execution")),
    "an encoded slash in an id": (
        request("POST /api/workflows/a%2Fb/execute", body=EMPTY), (404, "unknown_workflow"),
    ),
    "a null in an id": (
        request("POST /api/workflows/quick%00/execute", body=EMPTY), (404, "unknown_workflow"),
    ),
    "a broken encoding": (request("GET /api/executions/%zz%"), (404, "unknown_execution")),
    "no UTF-8": (request("GET /api/executions/%ff%fe"), (404, "unknown_execution")),
    "a surrogate": (request("GET /api/executions/%ed%a0%80"), (404, "unknown_execution")),
    "a way up": (request("GET /api/executions/../../etc/passwd"), (404, "not_found")),
    "an encoded way up": (request("GET /api/%2e%2e/%2e%2e/etc/passwd"), (404, "not_found")),
    "two slashes": (request("GET //api//executions"), (404, "not_found")),
    "a slash too many": (request(LIST + "/"), (404, "not_found")),
    "a line break": (request("GET /api/executions/a%0d%0aX:b"), (404, "unknown_execution")),
    "a long id": (request(f"GET /api/executions/{'x' * 60_000}"), (404, "unknown_execution")),
    "an event without a name": (request(f"POST /api/executions/{NOBODY}/events/"), INVALID),
    "an event with a long name": (
        request(f"POST /api/executions/{NOBODY}/events/{'x' * 300}"), INVALID,
    ),
    # The query.
    "an unknown parameter": (request(LIST + "?nonsense=1"), INVALID),
    "a parameter of nobody": (request("GET /healthz?a=1"), INVALID),
    "a thousand parameters": (request(LIST + "?" + "&".join(["limit=1"] * 1_000)), INVALID),
    "a null in a query": (request(LIST + "?cursor=%00"), (400, "invalid_cursor")),
    "no UTF-8 in a query": (request(LIST + "?cursor=%ff"), (400, "invalid_cursor")),
    "bytes in a query": (request(LIST + "?cursor=\xff"), MALFORMED),
    "a cursor of nobody": (request(LIST + "?cursor=abcdefgh"), (400, "invalid_cursor")),
    "a long cursor": (request(LIST + f"?cursor={'A' * 10_000}"), (400, "invalid_cursor")),
    **{
        f"limit={limit}": (request(LIST + f"?limit={limit}"), INVALID)
        for limit in ("0", "-1", "201", "9" * 400, "1.5", "", "ten", "%20", "0x10", "null")
    },
    # The body.
    "no JSON": (request(EXECUTE, body=b"nonsense"), (400, "invalid_json")),
    "half of it": (request(EXECUTE, body=b'{"inputs": {'), (400, "invalid_json")),
    "UTF-16": (request(EXECUTE, body='{"inputs": {}}'.encode("utf-16")), (400, "invalid_json")),
    "Latin-1": (request(EXECUTE, body=b'{"inputs": {"a": "\xe9"}}'), (400, "invalid_json")),
    "half a surrogate": (
        request(EXECUTE, body=b'{"inputs": {"a": "\\ud800"}}'), (400, "invalid_json"),
    ),
    "NaN": (request(EXECUTE, body=b'{"inputs": {"a": NaN}}'), (400, "invalid_json")),
    "an array": (request(EXECUTE, body=b"[]"), INVALID),
    "null": (request(EXECUTE, body=b"null"), INVALID),
    "inputs of another type": (request(EXECUTE, body=b'{"inputs": []}'), INVALID),
    "an unknown field": (request(EXECUTE, body=b'{"nonsense": 1}'), INVALID),
    "a priority beyond all": (request(EXECUTE, body=b'{"priority": 1e999}'), INVALID),
    "a deep body": (request(EXECUTE, body=b'{"inputs":' + b"[" * 100_000), (422, "too_deep")),
    "deep inputs": (
        request(EXECUTE, body=b'{"inputs": {"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
        (422, "too_deep"),
    ),
    "a large value": (
        request(EXECUTE, body=as_json({"inputs": {"a": "x" * 3 * MB}})), (413, "too_large"),
    ),
    "a huge body": (request(EXECUTE, body=b" " * 5 * MB), (413, "too_large")),
    "a body that is only announced": (
        executing("Expect: 100-continue", "Content-Length: 5000000000", body=b""),
        (413, "too_large"),
    ),
    "text": (typed("text/plain"), (415, "unsupported_media_type")),
    "a form": (typed("application/x-www-form-urlencoded"), (415, "unsupported_media_type")),
    "a form with files": (
        typed("multipart/form-data; boundary=x"), (415, "unsupported_media_type"),
    ),
    "a type of its own": (typed("application/jsonp"), (415, "unsupported_media_type")),
    "a compressed body": (
        request(EXECUTE, "Content-Encoding: gzip", body=b"\x1f\x8b\x08\0"),
        (415, "unsupported_media_type"),
    ),
    "chunks": (chunked(b"e\r\n", EMPTY, b"\r\n0\r\n\r\n"), (202, None)),
    "a chunk of no size": (chunked(b"zz\r\n"), MALFORMED),
    "a chunk beyond all sizes": (chunked(b"f" * 17 + b"\r\n"), MALFORMED),
    "a chunk that is longer": (chunked(b"1\r\n", EMPTY, b"\r\n"), MALFORMED),
    "trailers": (chunked(b"e\r\n", EMPTY, b"\r\n0\r\nX-A: b\r\n\r\n"), (202, None)),
    "endless trailers": (
        chunked(b"e\r\n", EMPTY, b"\r\n0\r\n", b"X-A: b\r\n" * MB), (413, "too_large"),
    ),
    "an endless trailer": (
        chunked(b"e\r\n", EMPTY, b"\r\n0\r\nX-A: ", b"b" * 7 * MB), (413, "too_large"),
    ),
    "endless extensions": (chunked(b"e;", b"x" * 7 * MB), (413, "too_large")),
    "endless chunks": (chunked(b"1\r\n{\r\n", b"1\r\n \r\n" * MB), (413, "too_large")),
}  # fmt: skip


def sockets_of(its: Server) -> int:
    """How many connections the server's own process has."""
    found = 0
    for entry in Path(f"/proc/{its.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += str(entry.readlink()).startswith("socket:")
    return found


def memory_of(its: Server) -> int:
    """Resident bytes of the server's own process."""
    status = Path(f"/proc/{its.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def expect_no_fault(its: Server) -> None:
    assert its.is_alive
    assert "Traceback" not in its.output, its.output
    assert "failed (request" not in its.output, its.output


async def test_every_bad_request_gets_its_answer(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its:
        other = await its.api.start("quick")
        wrong = []
        async with probing(its.api, other):
            for name, (sent, expected) in REQUESTS.items():
                answer = await answered(its.port, sent)
                dropped = answer == DROPPED and expected[0] in (413, 431)
                if (answer.status, answer.code) != expected and not dropped:
                    wrong.append((name, answer.status, answer.code, expected))
        assert wrong == []
        expect_no_fault(its)


async def test_a_request_that_is_refused_does_not_spoil_the_next(tmp_path: Path) -> None:
    """On the same connection, and also where its body was left unread."""
    async with server(tmp_path, MODULE) as its, connection(its.port) as opened:
        for sent, expected in (
            (request("POST /api/nothing", body=b" " * MB), "not_found"),
            (request(EXECUTE, body=b" " * 5 * MB), "too_large"),
            (request(EXECUTE, body=b"GET / HTTP/1.1\r\n\r\n"), "invalid_json"),
            (request(LIST, body=b"GET /api/nothing HTTP/1.1\r\n\r\n"), None),
            (request("HEAD /api/executions"), None),
            (request(LIST), None),
        ):
            await opened.send(sent)
            if sent.startswith(b"HEAD"):
                head = await opened.reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                continue
            answer = await opened.answer()
            assert answer.code == expected
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its, connection(its.port) as opened:
        await opened.send(b"".join(request(f"GET /api/nothing-{n}") for n in range(1_000)))
        for n in range(1_000):
            assert f"nothing-{n}'".encode() in (await opened.answer()).body
        expect_no_fault(its)


async def test_a_storm_of_clients_that_leave(tmp_path: Path) -> None:
    """In the middle of the head, of the body, of their wait, and of the answer: nothing is kept."""
    async with server(tmp_path, MODULE) as its:
        other = await its.api.start("logs", where="thread", lines=20_000, length=100)
        await its.api.until_status(other, "completed")
        long = f"GET /api/executions/{other}/logs?limit=1000"
        halves = (
            b"",
            request(LIST)[:-2],
            request(EXECUTE, body=EMPTY)[:-5],
            request(EXECUTE, "Prefer: wait=60", body=EMPTY),
            request(long) * 2,
        )
        sockets = sockets_of(its)

        async def storm() -> None:
            async with probing(its.api, other):
                for _ in range(10):
                    await asyncio.gather(*(leave(its.port, half) for half in halves * 4))
            await until_true(lambda: sockets_of(its) <= sockets + 5, "all are closed")

        await storm()
        memory = memory_of(its)
        await storm()
        assert memory_of(its) < memory + 20 * MB
        expect_no_fault(its)


async def leave(port: int, half: bytes) -> None:
    """Send something, and leave without reading."""
    async with connection(port) as opened:
        await opened.send(half)
        opened.abort()


async def test_many_idle_and_slow_clients_keep_nobody_waiting(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its:
        other = await its.api.start("quick")
        opened = [await asyncio.open_connection("127.0.0.1", its.port) for _ in range(1_000)]
        for number, (_, writer) in enumerate(opened):
            writer.write(request(EXECUTE, body=EMPTY)[: number % 150])
        async with probing(its.api, other):
            await asyncio.sleep(0)
        for _, writer in opened:
            writer.transport.abort()
        await until_true(lambda: sockets_of(its) < 100, "all are closed")
        expect_no_fault(its)


async def test_without_a_key_foreign_names_and_pages_are_refused(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE, options=["--no-auth"]) as its:
        for sent, expected in (
            (request(EXECUTE, host="evil.test", body=EMPTY), (403, "forbidden_origin")),
            (request(EXECUTE, "Origin: null", body=EMPTY), (403, "forbidden_origin")),
            (b"POST /api/workflows/quick/execute HTTP/1.0\r\n\r\n", (403, "forbidden_origin")),
            (request(EXECUTE, host=f"127.0.0.1:{its.port}", body=EMPTY), (202, None)),
        ):
            answer = await answered(its.port, sent)
            assert (answer.status, answer.code) == expected
        assert len(await its.api.executions()) == 1
