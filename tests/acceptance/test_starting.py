"""How executions are started: once under a key, at a later moment, and not of what is retired.

Proven through HTTP with a real server.
"""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.servers import SERVED, Api, Server, server, until

AT_ONCE = 60
FLOWS = """
from perdure import sleep, task, wait_for_event, workflow

@task
async def finish(item: str) -> str:
    return item + " finished"

@workflow(id="part")
async def part(item: str) -> str:
    return await finish(item)

@workflow(id="order", version="VERSION")
async def order(item: str) -> str:
    word = await wait_for_event("word", type=str)
    return await part(f"{item}, {word}")
"""


async def post(api: Api, workflow_id: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.http.post(f"/api/workflows/{workflow_id}/execute", json=body, headers=given)


# -- idempotency keys ------------------------------------------------------------------------


async def test_of_many_requests_at_once_one_starts_an_execution(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py") as served:
        body = {"inputs": {"steps": 3}}
        answers = await asyncio.gather(
            *(post(served.api, "chain", body, Idempotency_Key="once") for _ in range(AT_ONCE))
        )
        assert Counter(a.status_code for a in answers) == {202: 1, 200: AT_ONCE - 1}
        [execution_id] = {answer.json()["execution_id"] for answer in answers}
        assert {answer.headers["location"] for answer in answers} == {
            f"/api/executions/{execution_id}"
        }
        assert [head["execution_id"] for head in await served.api.executions()] == [execution_id]

        waiting = {"Idempotency_Key": '"once"', "Prefer": "wait=10"}
        answer = await post(served.api, "chain", {"inputs": {"steps": 3.0}}, **waiting)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
        answer = await post(served.api, "chain", body, **waiting)
        assert (answer.status_code, answer.json()["result"]) == (200, 3)
        assert answer.json()["execution_id"] == execution_id
        other = await post(served.api, "drowsy", {"inputs": {"length": "1ms"}}, **waiting)
        assert (other.status_code, other.json()["result"]) == (200, 7), "a key is one workflow's"

        refused = await post(served.api, "chain", {}, Idempotency_Key="new")
        assert refused.json()["code"] == "invalid_inputs"
        answer = await post(served.api, "chain", body, Idempotency_Key="new")
        assert answer.status_code == 202

        await served.kill()
        await served.start()
        answer = await post(served.api, "chain", body, Idempotency_Key="once")
        assert (answer.status_code, answer.json()["execution_id"]) == (200, execution_id)


# -- moments of starting -----------------------------------------------------------------------


async def test_an_execution_starts_at_its_moment_also_of_a_server_killed_before(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, SERVED / "load.py") as served:
        moment = datetime.now(UTC) + timedelta(seconds=2)
        body: dict[str, Any] = {"inputs": {"steps": 3}}
        # In another zone.
        start_at = moment.astimezone(datetime.now().astimezone().tzinfo).isoformat()
        answer = await post(served.api, "chain", {**body, "start_at": start_at})
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        scheduled = answer.json()["execution_id"]
        whole = await served.api.execution(scheduled)
        [wait] = whole["waiting_for"]
        assert (wait["kind"], wait["position"]) == ("start", "")
        assert abs(datetime.fromisoformat(wait["until"]) - moment) < timedelta(milliseconds=2)

        far = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        answer = await post(served.api, "chain", {**body, "start_at": far})
        cancelled = answer.json()["execution_id"]
        ready = (await served.api.run("chain", steps=3))["status"]
        assert ready == "completed", "it stops no other"
        await served.kill()
        await served.start()
        whole = await served.api.until_status(scheduled, "completed")
        assert datetime.fromisoformat(whole["started_at"]) >= moment - timedelta(milliseconds=2)
        assert whole["result"] == 3
        answer = await served.api.control(cancelled, "cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


# -- retired workflows -------------------------------------------------------------------------


def deploy(folder: Path, version: str) -> None:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "flows.py").write_text(FLOWS.replace("VERSION", version))


async def restart(served: Server) -> None:
    assert await served.stop() == 0
    await served.start()


async def test_a_retired_workflow_starts_nothing_and_what_runs_goes_on(tmp_path: Path) -> None:
    deploy(tmp_path, "1")
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    async with server(tmp_path, tmp_path / "flows", environ=environ) as served:
        http = served.api.http
        running = await served.api.start("order", item="a book")

        async def listed(query: str = "") -> list[str]:
            page = (await http.get(f"/api/workflows{query}")).json()
            return [each["workflow_id"] for each in page["workflows"]]

        assert await listed() == ["order", "part"]
        for workflow_id in ("order", "order", "part"):
            answer = await http.delete(f"/api/workflows/{workflow_id}")
            assert (answer.status_code, answer.content) == (204, b"")
        assert (await http.delete("/api/workflows/unknown")).status_code == 404

        for _ in range(2):
            answer = await served.api.execute("order", item="another")
            assert (answer.status_code, answer.json()["code"]) == (410, "workflow_retired")
            assert await listed() == []
            assert await listed("?retired=true") == ["order", "part"]
            shown = (await http.get("/api/workflows/order")).json()
            assert shown["retired_at"] is not None
            assert shown["source"].startswith('@workflow(id="order", version="1")\nasync def order')
            await restart(served)

        assert (await served.api.send_event(running, "word", "go")).status_code == 202
        whole = await served.api.until_status(running, "completed", "failed")
        assert whole["result"] == "a book, go finished", "and so do its children"

        deploy(tmp_path, "2")
        await restart(served)
        assert await listed() == ["order"]
        answer = await served.api.execute("order", item="another")
        assert (answer.status_code, answer.json()["workflow_version"]) == (202, "2")


# -- looking at executions ---------------------------------------------------------------------


async def test_who_looks_again_gets_what_has_changed(tmp_path: Path) -> None:
    async with server(tmp_path, SERVED / "load.py") as served:
        execution_id = await served.api.start("attentive", first=1)
        path = f"/api/executions/{execution_id}"

        async def waits() -> bool:
            return bool((await served.api.execution(execution_id))["waiting_for"])

        assert await until(waits, "it waits for its event")
        seen = await served.api.http.get(path)
        known = {"If-None-Match": seen.headers["etag"]}
        for method in ("GET", "HEAD"):
            again = await served.api.http.request(method, path, headers=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == seen.headers["etag"]

        looking = asyncio.create_task(
            served.api.http.get(path, headers={**known, "Prefer": "wait=20"})
        )
        await asyncio.sleep(0.1)
        asked_s = time.monotonic()
        assert (await served.api.control(execution_id, "pause")).status_code == 200
        changed = await looking
        assert time.monotonic() - asked_s < 5
        assert (changed.status_code, changed.json()["status"]) == (200, "paused")
        assert changed.headers["preference-applied"] == "wait=20"
        at_once = await served.api.http.get(path, headers={**known, "Prefer": "wait=20"})
        assert at_once.headers["etag"] == changed.headers["etag"]

        await served.api.control(execution_id, "resume")
        looking = asyncio.create_task(served.api.http.get(path, headers={"Prefer": "wait=20"}))
        await asyncio.sleep(0.1)
        await served.api.send_event(execution_id, "word", 5)
        assert (await looking).json()["status"] == "completed"
        over = await served.api.http.get(path, headers={"Prefer": "wait=20"})
        assert over.json()["result"] == 7
        assert time.monotonic() - asked_s < 15


@pytest.mark.parametrize("path", ["/api/workflows/chain", "/api/workflows/chain/versions/1"])
async def test_a_workflow_has_its_source(tmp_path: Path, path: str) -> None:
    async with server(tmp_path, SERVED / "load.py") as served:
        shown = (await served.api.http.get(path)).json()
        assert "async def chain(steps: int) -> int:" in shown["source"]
        assert shown["input_schema"]["required"] == ["steps"]
