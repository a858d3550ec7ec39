"""Runaway and memory-hungry expressions over HTTP: each fails, and everything else runs on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from perdure.model.failure import STANDARD
from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "fuzzed.py"
HOSTILE = {
    "[range(1e12)]": "1 s of the CPU|longer than 2 s",
    "def f: f; f": "1 s of the CPU|longer than 2 s",
    '"x" * 1e9': "512 MB",
    "[.n, infinite] | [limit(.[1]; repeat(1))]": "1 s of the CPU|longer than 2 s",
    "[range(400000)] | map(tostring * 5)": "2,097,152|1 s of the CPU|longer than 2 s",
}
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


@pytest.mark.parametrize(("expression", "reason"), HOSTILE.items(), ids=list(HOSTILE))
async def test_a_hostile_expression_fails_and_others_run_on(
    tmp_path: Path, expression: str, reason: str
) -> None:
    async with server(tmp_path, MODULE) as its:
        for name, source in (("hostile", expression), ("calm", CALM)):
            answer = await its.api.http.post("/api/workflows", json=document(name, source))
            assert answer.status_code == 201, answer.text
        hostile = asyncio.ensure_future(run(its.api, "hostile"))
        for _ in range(5):
            calm = await run(its.api, "calm")
            assert calm.get("result") == {"value": "0,1,2"}, calm
        ended = await hostile
        assert ended["status"] == "failed"
        assert ended["error"]["type"] == STANDARD + "expression"
        assert ended["error"]["status"] == 400
        assert ended["error"]["instance"] == "/do/0/one"
        detail = ended["error"]["detail"]
        assert any(part in detail for part in reason.split("|")), detail
