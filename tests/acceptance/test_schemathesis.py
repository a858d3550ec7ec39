"""schemathesis, with all its checks, finds nothing; `make fuzz` does it at length."""

from pathlib import Path

from tests.support.fuzzing import MODULE, Findings, fuzz
from tests.support.servers import server


async def test_made_up_requests_find_nothing(tmp_path: Path) -> None:
    findings = Findings()
    async with server(tmp_path, MODULE) as its:
        await fuzz(its, findings, examples=15, seed=1)
    assert findings.reports == [], findings.reports[0]
    assert findings.requests > 500
    assert {200, 202, 400, 401, 404, 405, 409, 415, 422} <= set(findings.statuses)
    assert not [status for status in findings.statuses if status >= 500]
