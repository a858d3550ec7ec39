"""Requests that cannot be: each is refused with what is wrong, where, and what to do instead."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "hostile_values.py"
JSON = {"Content-Type": "application/json"}
VALUE_LIMIT_BYTES = 2 * 1024 * 1024

GOOD = {"place": {"name": "Oslo", "latitude": 59.9}, "days": 2, "labels": []}


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def inputs(**changed: Any) -> bytes:
    return msgspec.json.encode({"inputs": {**GOOD, **changed}})


BODIES: dict[str, tuple[bytes, int, str, tuple[str, ...]]] = {
    # What is sent: the body, the answer's status and code, and words of it.
    "a missing input": (
        b'{"inputs": {"days": 2, "labels": []}}', 422, "invalid_inputs", ("place", "required"),
    ),
    "an unknown input": (
        inputs(dayz=2), 422, "invalid_inputs", ("dayz",),
    ),
    "inputs of wrong types": (
        inputs(days="two", labels=[1]), 422, "invalid_inputs",
        ("/inputs/days", "/inputs/labels/0", "integer", "string", "2 problems"),
    ),
    "an input out of bounds": (
        inputs(place={"name": "", "latitude": 100}), 422, "invalid_inputs",
        ("/inputs/place/latitude", "/inputs/place/name", "90"),
    ),
    "an unknown field deep inside": (
        inputs(place={"name": "Oslo", "latitude": 1, "colour": "red"}), 422, "invalid_inputs",
        ("/inputs/place", "colour"),
    ),
    "inputs that are no object": (
        b'{"inputs": [1]}', 422, "invalid_request", ("/inputs", "Expected `object`, got `array`"),
    ),
    "a body that is no object": (
        b"[]", 422, "invalid_request", ("Expected `object`, got `array`",),
    ),
    "an unknown field": (
        b'{"input": {}}', 422, "invalid_request", ("/input", "did you mean 'inputs'?"),
    ),
    "a field of the wrong type": (
        b'{"inputs": {}, "priority": "high"}', 422, "invalid_request", ("/priority", "int"),
    ),
    "a timeout that is none": (
        b'{"inputs": {}, "timeout": "soon"}', 422, "invalid_request", ("/timeout", "no duration"),
    ),
    "an unknown version": (
        b'{"inputs": {}, "version": "9"}', 404, "unknown_version", ("'9'", "it has 1"),
    ),
    "NaN": (
        b'{"inputs": {"days": NaN}}', 400, "invalid_json", ("line 1, column 21",),
    ),
    "a number beyond all": (
        b'{"inputs": {"days": 1e999}}', 422, "invalid_request", ("/inputs", "out of range"),
    ),
    "broken JSON": (
        b'{"inputs": {"days": 2,}}', 400, "invalid_json", ("line 1, column 23",),
    ),
    "JSON that ends early": (
        b'{"inputs": {"days"', 400, "invalid_json", ("ends before its value does",),
    ),
    "two values": (
        b"{}{}", 400, "invalid_json", ("trailing characters",),
    ),
    "broken UTF-8": (
        b'{"inputs": {"a": "\xff"}}', 400, "invalid_json", ("not UTF-8", "at byte 18"),
    ),
    "half a surrogate pair": (
        b'{"inputs": {"a": "\\ud800"}}', 400, "invalid_json", ("surrogate pair stands alone",),
    ),
    "inputs nested too deeply": (
        b'{"inputs": {"a": ' + nested(200) + b"}}", 422, "too_deep", ("100 levels", "/inputs"),
    ),
    "inputs nested beyond all": (
        b'{"inputs": {"a": ' + nested(100_000) + b"}}", 422, "too_deep", ("100 levels",),
    ),
    "inputs over 2 MB": (
        b'{"inputs": {"a": "' + b"x" * VALUE_LIMIT_BYTES + b'"}}', 413, "too_large",
        ("2,097,152", "store it elsewhere and pass a reference", "/inputs"),
    ),
    "a body over 4 MB": (
        b" " * (4 * 1024 * 1024 + 1), 413, "too_large", ("4,194,304 bytes",),
    ),
}  # fmt: skip


def check(response: httpx.Response, status: int, code: str, words: tuple[str, ...]) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == code
    for word in words:
        assert word in response.text, response.text


async def check_headers(api: Api, path: str) -> None:
    """Bodies of other types, and compressed ones."""
    for headers, words in (
        ({"Content-Type": "text/plain"}, ("application/json", "text/plain")),
        ({"Content-Type": "application/x-www-form-urlencoded"}, ("application/json",)),
        ({**JSON, "Content-Encoding": "gzip"}, ("Content-Encoding", "gzip")),
    ):
        response = await api.http.post(path, content=inputs(), headers=headers)
        check(response, 415, "unsupported_media_type", words)
    response = await api.http.post(path, content=inputs())
    check(response, 415, "unsupported_media_type", ("missing",))


async def test_what_is_not_understood_starts_nothing(tmp_path: Path) -> None:
    """Bodies, headers and names: nothing is ignored, nothing is a fault of the server."""
    async with server(tmp_path, MODULE) as its:
        api = its.api
        path = "/api/workflows/typed/execute"
        for name, (body, status, code, words) in BODIES.items():
            response = await api.http.post(path, content=body, headers=JSON)
            try:
                check(response, status, code, words)
            except AssertionError as error:
                pytest.fail(f"{name}: {error}")
        await check_headers(api, path)
        for workflow_id in ("nobody", "a b", "x" * 300, "%00", "..", "quick%2F"):
            response = await api.http.post(f"/api/workflows/{workflow_id}/execute", json={})
            assert response.status_code == 404, response.text
        assert await api.executions() == []
        # After all of that it works.
        assert (await api.run("typed", **GOOD))["result"] == 2


async def test_events_that_are_not_understood(tmp_path: Path) -> None:
    """What holds of inputs holds of the data of events, and of queries."""
    async with server(tmp_path, MODULE) as its:
        api = its.api
        started = await api.start("innocent", seconds=600)
        path = f"/api/executions/{started}/events/go"
        large = b'{"data": "' + b"x" * VALUE_LIMIT_BYTES + b'"}'
        for body, status, code, words in (
            (large, 413, "too_large", ("2,097,152", "/data")),
            (b'{"data": ' + nested(200) + b"}", 422, "too_deep", ("/data",)),
            (b'{"data": NaN}', 400, "invalid_json", ()),
            (b'{"data": 1, "name": "x"}', 422, "invalid_request", ("/name",)),
            (b'{"data": 1, "id": 7}', 422, "invalid_request", ("/id",)),
        ):
            check(await api.http.post(path, content=body, headers=JSON), status, code, words)
        for query, words in (
            ("limit=0", ("?limit",)),
            ("limit=ten", ("?limit",)),
            ("limt=10", ("?limt", "did you mean 'limit'?")),
            ("limit=1&limit=2", ("?limit", "more than once")),
        ):
            response = await api.http.get(f"/api/executions?{query}")
            check(response, 422, "invalid_request", words)
        response = await api.http.get("/api/executions?cursor=abc")
        check(response, 400, "invalid_cursor", ("start again without one",))
        for execution_id in ("exec-1", "x" * 500, "%00", "exec-zzzzzzzzzzzzz"):
            response = await api.http.get(f"/api/executions/{execution_id}")
            check(response, 404, "unknown_execution", ())
