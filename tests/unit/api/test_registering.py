"""`POST /api/workflows` and `POST /api/workflows/validate`."""

import pytest

from perdure.api.requests import DOCUMENT_TYPES
from perdure.ports.runtime import (
    DOCUMENT_LIMIT_BYTES,
    DocumentProblem,
    Offer,
    Problem,
    RefusedError,
    Served,
)
from tests.unit.api.fakes import NOW, NOW_MS, FakeRuntime, connected

SOURCE = "document:\n  name: weather # Wetter — 天気\n".encode()
WEATHER = Served(
    workflow_id="weather",
    version="1.0.0-rc.1+a b",
    digest="d",
    kind="document",
    unsupported=("call grpc at /do/0/greet",),
)


def runtime() -> FakeRuntime:
    made = FakeRuntime()
    made.offered = [Offer(WEATHER, NOW_MS)]
    return made


@pytest.mark.parametrize("media_type", [*DOCUMENT_TYPES, "Text/YAML; charset=utf-8"])
async def test_registers_a_document_as_it_was_sent(media_type: str) -> None:
    its = runtime()
    async with connected(its) as client:
        headers = {"Content-Type": media_type}
        answer = await client.post("/api/workflows", content=SOURCE, headers=headers)
    assert answer.status_code == 201
    assert its.documents == [SOURCE]
    assert answer.headers["location"] == "/api/workflows/weather/versions/1.0.0-rc.1%2Ba%20b"
    shown = answer.json()
    assert shown["kind"] == "document"
    assert shown["source"] == SOURCE.decode()
    assert shown["unsupported"] == ["call grpc at /do/0/greet"]
    assert shown["retired_at"] == NOW


async def test_what_is_registered_already_is_answered_with_200() -> None:
    its = runtime()
    its.created = False
    async with connected(its) as client:
        headers = {"Content-Type": "application/yaml"}
        answer = await client.post("/api/workflows", content=SOURCE, headers=headers)
    assert answer.status_code == 200
    assert "location" in answer.headers


async def test_every_problem_is_located() -> None:
    its = runtime()
    found = [Problem("/do/0/a", "line 3, column 5: what is this")]
    its.refusal = RefusedError("invalid_document", "no", problems=found)
    async with connected(its) as client:
        headers = {"Content-Type": "application/yaml"}
        answer = await client.post("/api/workflows", content=SOURCE, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"location": "/do/0/a", "message": "line 3, column 5: what is this"}
    ]


async def test_validates() -> None:
    its = runtime()
    async with connected(its) as client:
        headers = {"Content-Type": "application/yaml"}
        for problems in ([], [DocumentProblem("/do", 2, 1, "is missing")]):
            its.problems = problems
            path = "/api/workflows/validate"
            answer = await client.post(path, content=SOURCE, headers=headers)
            assert answer.status_code == 200
            assert answer.json()["valid"] == (not problems)
    assert answer.json()["problems"] == [
        {"location": "/do", "line": 2, "column": 1, "message": "is missing"}
    ]


@pytest.mark.parametrize("path", ["/api/workflows", "/api/workflows/validate"])
async def test_refuses_what_is_no_document(path: str) -> None:
    its = runtime()
    async with connected(its) as client:
        for media_type in ("text/plain", "application/yamls", ""):
            headers = {"Content-Type": media_type}
            answer = await client.post(path, content=SOURCE, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        headers = {"Content-Type": "application/yaml", "Content-Encoding": "gzip"}
        answer = await client.post(path, content=SOURCE, headers=headers)
        assert answer.status_code == 415
        for size in (DOCUMENT_LIMIT_BYTES + 1, 10 * DOCUMENT_LIMIT_BYTES):
            headers = {"Content-Type": "application/yaml"}
            answer = await client.post(path, content=b" " * size, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        answer = await client.post(f"{path}?dry=1", content=SOURCE, headers=headers)
        assert answer.status_code == 422
    assert its.documents == []


async def test_a_workflow_may_be_called_validate() -> None:
    its = runtime()
    async with connected(its) as client:
        answer = await client.get("/api/workflows/validate")
        assert (answer.status_code, answer.json()["workflow_id"]) == (200, "weather")
        refused = await client.patch("/api/workflows/validate")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
