"""A client that is generated from the OpenAPI document drives a real server."""

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import ADMIN_KEY, SERVED, Server, server

MODULE = SERVED / "fuzzed.py"
PACKAGE = "generated_perdure_client"


async def generate(its: Server, folder: Path) -> None:
    """Generate a client into a package below `folder`; a warning of the generator is an error."""
    document = folder / "openapi.json"
    document.write_bytes((await its.api.http.get("/openapi.json")).content)
    config = folder / "generator.json"
    # To this generator a text is bytes, unless it is JSON.
    overrides = {"application/yaml": "application/octet-stream"}
    config.write_text(json.dumps({"post_hooks": [], "content_type_overrides": overrides}))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("openapi-python-client")),
        "generate",
        f"--path={document}",
        f"--config={config}",
        f"--output-path={folder / PACKAGE}",
        "--meta=none",
        "--fail-on-warning",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def part(name: str) -> Any:
    """A module of the generated client."""
    return importlib.import_module(f"{PACKAGE}.{name}")


async def test_a_generated_client_executes_waits_lists_reads_and_cancels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    async with server(tmp_path, MODULE) as its:
        await generate(its, tmp_path)
        models, executions = part("models"), "api.executions"
        url = f"http://127.0.0.1:{its.port}"
        async with part("client").AuthenticatedClient(base_url=url, token=ADMIN_KEY) as client:
            served = await part("api.workflows.list_workflows").asyncio(client=client)
            assert {each.workflow_id for each in served.workflows} == {"weather", "order", "old"}

            execute = part(f"{executions}.execute_workflow").asyncio
            inputs = models.ExecuteInputs.from_dict({"query": "Seattle"})
            body = models.Execute(inputs=inputs, tags=models.ExecuteTags.from_dict({"a": "b"}))
            ended = await execute("weather", client=client, body=body, prefer="wait=30")
            assert isinstance(ended, models.Execution)
            assert (ended.status, ended.result) == (models.Status.COMPLETED, "Seattle")
            assert ended.tags.to_dict() == {"a": "b"}
            assert ended.completed_at >= ended.started_at

            begun = await execute("order", client=client, body=models.Execute())
            assert isinstance(begun, models.ExecutionHead)
            cancelled = await part(f"{executions}.cancel_execution").asyncio(
                begun.execution_id, client=client, body=models.Empty()
            )
            assert isinstance(cancelled, models.ExecutionHead)

            page = await part(f"{executions}.list_executions").asyncio(client=client, limit=1)
            assert [each.execution_id for each in page.executions] == [begun.execution_id]
            page = await part(f"{executions}.list_executions").asyncio(
                client=client, limit=1, cursor=page.next_cursor
            )
            assert [each.execution_id for each in page.executions] == [ended.execution_id]

            logs = await part("api.logs.list_logs").asyncio(ended.execution_id, client=client)
            assert "observed Seattle" in [line.message for line in logs.logs]
            tasks = await part("api.tasks.list_tasks").asyncio(ended.execution_id, client=client)
            assert [run.name for run in tasks.tasks] == ["observe"]

            refused = await part(f"{executions}.get_execution").asyncio(
                "exec-0000000000000", client=client
            )
            assert isinstance(refused, models.Problem)
            assert refused.code == "unknown_execution"
