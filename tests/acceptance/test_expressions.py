"""Runaway and memory-hungry expressions over HTTP: each fails, and everything else runs on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

import pytest
import pytest_asyncio

from perdure.model.failure import STANDARD
from tests.support.servers import SERVED, Api, Server, server

MODULE = SERVED / "fuzzed.py"
HOSTILE = {
    "[range(1e12)]": "1 s of the CPU",
    "def f: f; f": "1 s of the CPU",
    '"x" * 1e9': "512 MB",
    "[.n, infinite] | [limit(.[1]; repeat(1))]": "1 s of the CPU",
    "[range(100000)] | map(tostring * 5)": "2,097,152",
}
pytestmark = pytest.mark.asyncio(loop_scope="module")

CALM = '[range(.n)] | map(tostring) | join(",")'


def document(name: str, expression: str) -> dict[str, Any]:
    """A document that sets one value."""
    return {
        "document": {"dsl": "1.0.3", "namespace": "default", "name": name, "version": "1.0.0"},
        "do": [{"one": {"set": {"value": f"${{ {expression} }}"}}}],
    }


async def run(api: Api, name: str) -> dict[str, Any]:
    """Execute a document to its end."""
    answer = await api.execute(name, wait_s=30, n=3)
    found = answer.json()
    assert isinstance(found, dict)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def its(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with server(tmp_path_factory.mktemp("its"), MODULE) as made:
        yield made


@pytest.mark.parametrize(("expression", "reason"), HOSTILE.items(), ids=list(HOSTILE))
async def test_a_hostile_expression_fails_and_others_run_on(
    its: Server, expression: str, reason: str
) -> None:
    names = [f"{kind}-{crc32(expression.encode())}" for kind in ("hostile", "calm")]
    for name, source in zip(names, (expression, CALM), strict=True):
        answer = await its.api.http.post("/api/workflows", json=document(name, source))
        assert answer.status_code == 201, answer.text
    hostile = asyncio.ensure_future(run(its.api, names[0]))
    for _ in range(5):
        calm = await run(its.api, names[1])
        assert calm.get("result") == {"value": "0,1,2"}, calm
    ended = await hostile
    assert ended["status"] == "failed"
    assert ended["error"]["type"] == STANDARD + "expression"
    assert ended["error"]["status"] == 400
    assert ended["error"]["instance"] == "/do/0/one"
    assert reason in ended["error"]["detail"]
