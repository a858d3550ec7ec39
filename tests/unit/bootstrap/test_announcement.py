"""What a server says of itself."""

from pathlib import Path

import pytest

from perdure.bootstrap.announcement import announcement, url
from perdure.bootstrap.settings import Settings
from perdure.link.messages import ImportProblem
from perdure.ports.runtime import Served

SCHEMA = b"""{"type": "object", "required": ["query", "days", "unit", "other"], "properties": {
    "query": {"type": "string", "examples": ["Oslo's weather"]}, "days": {"type": "integer"},
    "unit": {"enum": ["C", "F"]}, "more": {"type": "string"}, "other": true}}"""
WEATHER = Served(workflow_id="weather", version="2", digest="d", input_schema=SCHEMA)
OLDER = Served(workflow_id="w", version="1.5", digest="d")


def test_tells_where_it_is_and_what_it_serves(tmp_path: Path) -> None:
    told = announcement(Settings(data=tmp_path), [WEATHER, OLDER], [], new_key="prd_new")
    assert f"perdure serves at http://127.0.0.1:8000, with its data in {tmp_path}" in told
    assert "is shown this once:\n  prd_new" in told
    assert "  weather  version 2\n  w        version 1.5" in told


def test_shows_how_to_call_it(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    told = announcement(Settings(data=data), [WEATHER], [], new_key=None)
    assert "curl http://127.0.0.1:8000/api/workflows/weather/execute \\\n" in told
    assert f"-H \"Authorization: Bearer $(cat '{data}/admin.key')\"" in told
    assert "-H 'Content-Type: application/json'" in told
    inputs = '{"query":"Oslo\'"\'"\'s weather","days":1,"unit":"C","other":null}'
    assert f"-d '{{\"inputs\":{inputs}}}'" in told
    assert "prd_" not in told


def test_import_problems_are_shown_in_full() -> None:
    problem = ImportProblem("flows.py", "SyntaxError: invalid syntax\n  line 3")
    told = announcement(Settings(), [], [problem], new_key=None)
    assert "not loaded: flows.py\n  SyntaxError: invalid syntax\n    line 3" in told
    assert "no workflows are served" in told
    assert "curl" not in told


def test_keys_that_were_set_or_are_not_needed() -> None:
    given = announcement(Settings(admin_key="prd_given"), [WEATHER], [], new_key=None)
    assert "prd_given" not in given
    assert "Bearer $PERDURE_ADMIN_KEY" in given
    none = announcement(Settings(no_auth=True), [WEATHER], [], new_key=None)
    assert "without authentication" in none
    assert "Bearer" not in none


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("example.org", "http://example.org:8000"),
    ],
)
def test_the_url_is_one_that_can_be_called(host: str, written: str) -> None:
    assert url(Settings(host=host)) == written
