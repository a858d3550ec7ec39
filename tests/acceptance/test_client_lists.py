"""Lists with filters, orders and totals: through the client and the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perdure import RefusedInputError
from tests.acceptance.test_client import MODULE, connected
from tests.acceptance.test_command_line import documents, told
from tests.support.servers import server


async def test_lists(tmp_path: Path) -> None:
    """Every filter and order narrows a list over all its pages, and a total counts it."""
    async with server(tmp_path, MODULE) as its, connected(its) as client:
        begun = datetime.now(UTC) - timedelta(seconds=1)
        done = [(await its.api.run("told", lines=1))["execution_id"] for _ in range(3)]
        failed = (await its.api.run("told", lines=0))["execution_id"]
        waiting = await its.api.start("asked")
        everything = [*done, failed, waiting]

        async def ids(**filters: object) -> list[str]:
            found = client.executions(**filters)  # type: ignore[arg-type]
            return [head.execution_id async for head in found]

        assert await ids(order="created_at") == everything
        assert await ids(order="-started_at") == everything[::-1]
        assert await ids(workflow_id="told", status=["completed", "failed"]) == [
            failed,
            *done[::-1],
        ]
        assert await ids(status="running", created_by="admin") == [waiting]
        assert await ids(created_after=begun, started_after=begun, order="created_at") == everything
        assert await ids(created_before=begun) == await ids(started_before=begun) == []
        assert await ids(q="nothing to tell") == [failed]
        assert await ids(tags={"team": "a"}) == []

        page = await client.executions_page(limit=2, workflow_id="told", total=True)
        assert (page.total, page.total_is_exact) == (4, True)
        with pytest.raises(RefusedInputError) as refused:
            await client.executions_page(cursor=page.next_cursor, workflow_id="asked")
        assert refused.value.code == "invalid_cursor"
        with pytest.raises(RefusedInputError):
            await ids(order="sideways")

        listed = told(
            its, "executions", "list", "--workflow", "told", "--status", "failed", "--json",
            "--created-after", "1h", "-q", "nothing", "--order", "-completed_at", "--total",
        )  # fmt: skip
        assert [each["execution_id"] for each in documents(listed)] == [failed]
