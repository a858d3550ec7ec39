"""Logs with filters, in both orders, and downloaded: through the client and the command line."""

import json
from pathlib import Path

from tests.acceptance.test_client import MODULE, connected
from tests.acceptance.test_command_line import documents, told
from tests.support.servers import server


async def test_logs(tmp_path: Path) -> None:
    """Filters and both orders, and downloads in every format."""
    async with server(tmp_path, MODULE) as its, connected(its) as client:
        execution_id = (await its.api.run("told", lines=2_500))["execution_id"]
        records = await its.api.logs(execution_id)

        newest = client.logs(execution_id, newest_first=True)
        assert [each.seq async for each in newest] == [each["seq"] for each in records[::-1]]
        found = [each async for each in client.logs(execution_id, task="tell", q="line 24")]
        assert len(found) == 111
        assert [each async for each in client.logs(execution_id, min_level="WARNING")] == []
        assert [
            each async for each in client.logs(execution_id, until="2020-01-01T00:00:00Z")
        ] == []
        since = client.logs(execution_id, since=records[0]["timestamp"], level=["INFO", "ERROR"])
        assert len([each async for each in since]) == len(records)

        async with client.download_logs(execution_id, "ndjson") as pieces:
            content = b"".join([piece async for piece in pieces])
        assert documents(content.decode()) == records
        async with client.download_logs(execution_id, "json", task="tell") as pieces:
            content = b"".join([piece async for piece in pieces])
        assert [each["task"] for each in json.loads(content)] == ["tell"] * 2_500

        tail = told(its, "executions", "logs", execution_id, "--tail", "3", "--json")
        assert documents(tail) == records[-3:]
        file = tmp_path / "told.log"
        told(its, "executions", "logs", execution_id, "-o", str(file))
        lines = file.read_text().splitlines()
        assert len(lines) == len(records)
        assert lines[1] == f"{records[1]['timestamp']} INFO [tell] line 0"
        filtered = ("--task", "tell", "-q", "line 7", "--since", "1h", "--level", "info")
        shown = told(its, "executions", "logs", execution_id, *filtered)
        assert shown.count("\n") == 111
