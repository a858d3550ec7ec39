"""Lists of executions of a real server: what is filtered, in which order, page by page."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.servers import SERVED, Api, server

MODULE = SERVED / "load.py"


async def start(api: Api, workflow_id: str, tags: dict[str, str], **inputs: Any) -> dict[str, Any]:
    """Start an execution with tags: its head."""
    response = await api.http.post(
        f"/api/workflows/{workflow_id}/execute", json={"inputs": inputs, "tags": tags}
    )
    assert response.status_code == 202, response.text
    head: dict[str, Any] = response.json()
    return head


async def listed(api: Api, **query: Any) -> list[str]:
    """The ids of a list, three to a page, however short the pages are."""
    ids: list[str] = []
    following: dict[str, str] = {}
    while True:
        response = await api.http.get(
            "/api/executions", params={"limit": 3, "total": "true", **query, **following}
        )
        assert response.status_code == 200, response.text
        page = response.json()
        ids += [each["execution_id"] for each in page["executions"]]
        if page["next_cursor"] is not None:
            following = {"cursor": page["next_cursor"]}
        else:
            assert (page["total"], page["total_is_exact"]) == (len(ids), True)
            return ids


async def test_lists(tmp_path: Path) -> None:
    async with server(tmp_path, MODULE) as its:
        api = its.api
        heads = [
            await start(api, "chain", {"team": "ab"[n % 2], "number": str(n)}, steps=1)
            for n in range(8)
        ]
        waiting = await start(api, "attentive", {"team": "b"}, first=1)
        failing = await start(api, "hopeless", {})
        chains = [head["execution_id"] for head in heads]
        last, failed = waiting["execution_id"], failing["execution_id"]
        await asyncio.gather(*(api.until_status(id, "completed") for id in chains))
        await api.until_status(failed, "failed")

        everything = [*chains, last, failed]
        assert await listed(api) == everything[::-1]
        assert await listed(api, order="created_at") == everything
        assert await listed(api, order="-started_at") == everything[::-1]
        assert set(await listed(api, order="completed_at")) == {*chains, failed}
        assert await listed(api, workflow_id="chain") == chains[::-1]
        assert await listed(api, status="running") == [last]
        assert await listed(api, status=["running", "failed"]) == [failed, last]
        assert await listed(api, workflow_id=["chain", "hopeless"], status="failed") == [failed]
        assert await listed(api, tag="team:b") == [last, *chains[1::2][::-1]]
        assert await listed(api, tag=["team:b", "number:3"]) == [chains[3]]
        assert await listed(api, q="CANNOT BE DONE") == [failed]
        assert await listed(api, q="number:7", order="-completed_at") == [chains[7]]
        since = heads[5]["created_at"]
        assert await listed(api, created_after=since) == everything[5:][::-1]
        assert await listed(api, created_before=since) == chains[:5][::-1]
        assert await listed(api, started_before=since, tag="team:a") == chains[:5:2][::-1]
        creator = (await api.execution(failed))["created_by"]
        assert await listed(api, created_by=creator) == everything[::-1]

        await its.kill()
        await its.start()
        assert await listed(api, tag="team:b", status="completed") == chains[1::2][::-1]
