"""`perdure workflows`: what each command asks, prints and exits with."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.scripted_server import (
    ID,
    a_failure,
    a_head,
    a_record,
    a_whole,
    a_workflow,
    problem,
    reply,
)
from tests.unit.cli.scripted import Terminal, interrupted

EXECUTE = "POST /api/workflows/weather/execute"
SCHEMA = {"type": "object", "properties": {"query": {}, "days": {}}, "required": ["query"]}


def listed(*workflows: dict[str, Any], problems: list[str] | None = None) -> httpx.Response:
    body = {"workflows": list(workflows), "problems": problems or [], "next_cursor": None}
    return reply(200, body)


# -- list and show ---------------------------------------------------------------------------


def test_what_can_be_executed_is_a_table(terminal: Terminal) -> None:
    old = a_workflow(workflow_id="old", retired_at="2026-02-23T16:30:00.123Z")
    terminal.answers(listed(a_workflow(input_schema=SCHEMA), old, problems=["a.py: no\x1b"]))
    result = terminal.call("workflows", "list", "--retired")
    assert result.stdout.splitlines() == [
        "WORKFLOW  VERSION      KIND    INPUTS        TITLE",
        "weather   1            python  query [days]  What the sky does",
        "old       1 (retired)  python                What the sky does",
    ]
    assert result.stderr == "perdure: not loaded: a.py: no\\x1b\n"
    assert terminal.server.asked == ["GET /api/workflows?retired=true"]


def test_what_can_be_executed_for_programs(terminal: Terminal) -> None:
    terminal.answers(listed(a_workflow(), a_workflow(version="2")))
    result = terminal.call("workflows", "list", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        a_workflow(),
        a_workflow(version="2"),
    ]


def test_nothing_can_be_executed(terminal: Terminal) -> None:
    terminal.answers(listed())
    result = terminal.call("workflows", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "there are none\n")


@pytest.mark.parametrize("schema", [{}, True, {"properties": []}, {"required": "x"}, None])
def test_odd_schemas_are_borne(terminal: Terminal, schema: Any) -> None:
    terminal.answers(listed(a_workflow(input_schema=schema)))
    assert terminal.call("workflows", "list").exit_code == 0


def test_one_workflow(terminal: Terminal) -> None:
    whole = a_workflow(source="async def weather(): ...", timeout_ms=90_000, tags={"team": "a"})
    versions = {"versions": [a_workflow(version="2"), a_workflow()], "next_cursor": None}
    terminal.answers(reply(200, whole), reply(200, versions))
    assert terminal.call("workflows", "show", "weather").stdout.splitlines() == [
        "workflow      weather",
        "title         What the sky does",
        "version       1",
        "versions      2 1",
        "kind          python",
        "timeout       1m30s",
        "tags          team=a",
        'input schema  {"type":"object"}',
        "source        perdure workflows show --source has it",
    ]


def test_a_version_its_source_and_its_json(terminal: Terminal) -> None:
    whole = a_workflow(source="async def weather():\n    ...\x1b\n")
    terminal.answers(reply(200, whole))
    shown = terminal.call("workflows", "show", "weather", "--version", "2", "--source").stdout
    assert shown == "async def weather():\n    ...\\x1b\n\n"
    assert json.loads(terminal.call("workflows", "show", "weather", "--json").stdout) == whole
    assert terminal.server.asked == [
        "GET /api/workflows/weather/versions/2",
        "GET /api/workflows/weather",
    ]


# -- register --------------------------------------------------------------------------------


def test_documents_are_registered(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text("document: {}\n")
    unsupported = a_workflow(workflow_id="other", unsupported=["call grpc at /do/0/greet"])
    terminal.answers(reply(201, a_workflow(source="x")), reply(200, {**unsupported, "source": "y"}))
    result = terminal.call("workflows", "register", "flow.yaml", "-", stdin='{"document": {}}')
    assert result.exit_code == 0
    assert result.stdout == "weather 1 is registered\nother 1 is registered\n"
    assert result.stderr == ("perdure: other 1 cannot be executed yet: call grpc at /do/0/greet\n")
    assert terminal.server.asked == ["POST /api/workflows"] * 2
    assert terminal.server.headers("content-type") == ["application/yaml"] * 2


def test_what_is_wrong_with_documents_is_told_and_others_are_registered(
    terminal: Terminal, tmp_path: Path
) -> None:
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (tmp_path / name).write_text("do: []\n")
    errors = [{"location": "/do", "message": "line 1, column 5: is empty"}]
    terminal.answers(
        problem(422, "invalid_document", "the document is not valid", errors=errors),
        problem(409, "version_conflict", "has other content"),
        reply(201, a_workflow(source="x")),
    )
    result = terminal.call("workflows", "register", "a.yaml", "b.yaml", "c.yaml")
    assert result.exit_code == 2
    assert result.stdout == "weather 1 is registered\n"
    assert result.stderr.splitlines() == [
        "perdure: a.yaml: the document is not valid",
        "  /do: line 1, column 5: is empty",
        "perdure: b.yaml: has other content",
    ]


def test_a_file_that_is_not_there_is_a_mistake(terminal: Terminal) -> None:
    result = terminal.call("workflows", "register", "gone.yaml")
    assert result.exit_code == 2
    assert "gone.yaml" in result.stderr


# -- execute ---------------------------------------------------------------------------------


def test_a_start_prints_the_id(terminal: Terminal) -> None:
    terminal.answers(reply(202, a_head("pending")))
    result = terminal.call("workflows", "execute", "weather")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{ID}\n", "")
    assert terminal.server.asked == [EXECUTE]
    assert terminal.server.body() == {"inputs": {}}
    result = terminal.call("workflows", "execute", "weather", "--json")
    assert json.loads(result.stdout) == a_head("pending")


def test_everything_that_can_be_given_is_sent(terminal: Terminal) -> None:
    terminal.answers(reply(202, a_head("pending")))
    given = (
        "--input query=rain --input days=3 --inputs - --version 2 --tag team=a --tag b=c=d "
        "--priority -5 --timeout 1h --start-at 2026-02-23T17:30+01:00 --idempotency-key mine"
    )
    stdin = '{"days": 1, "exact": true}'
    result = terminal.call("workflows", "execute", "weather", *given.split(" "), stdin=stdin)
    assert result.exit_code == 0
    assert terminal.server.body() == {
        "inputs": {"query": "rain", "days": 3, "exact": True},
        "version": "2",
        "tags": {"team": "a", "b": "c=d"},
        "priority": -5,
        "start_at": "2026-02-23T16:30:00.000Z",
        "timeout": "1h",
    }
    assert terminal.server.headers("idempotency-key") == ["mine"]


def test_a_start_after_a_length_of_time(terminal: Terminal) -> None:
    terminal.answers(reply(202, a_head("pending")))
    terminal.call("workflows", "execute", "weather", "--start-at", "2h")
    sent = datetime.fromisoformat(terminal.server.body()["start_at"])
    ahead = sent - datetime.now(sent.tzinfo)
    assert timedelta(minutes=115) < ahead <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "query"], "--input 'query': a name and a value are expected"),
        (["--inputs", "nowhere.json"], "--inputs nowhere.json: cannot be read"),
        (["--tag", "team"], "--tag 'team': a key and a value"),
        (["--start-at", "tomorrow"], "--start-at 'tomorrow': a moment is expected"),
    ],
)
def test_what_cannot_be_sent_is_told(terminal: Terminal, arguments: list[str], said: str) -> None:
    result = terminal.call("workflows", "execute", "weather", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"perdure: {said}")
    assert terminal.server.requests == []


def test_refused_inputs_are_told_one_by_one(terminal: Terminal) -> None:
    errors = [
        {"location": "/inputs/query", "message": "is missing"},
        {"location": "/inputs/days", "message": "is no number"},
    ]
    terminal.answers(problem(422, "invalid_inputs", "the inputs do not fit", errors=errors))
    result = terminal.call("workflows", "execute", "weather")
    assert result.exit_code == 2
    assert result.stderr == (
        "perdure: the inputs do not fit\n"
        "  /inputs/query: is missing\n"
        "  /inputs/days: is no number\n"
    )


@pytest.mark.parametrize(
    ("end", "code", "printed"),
    [("completed", 0, '{"rain":3}\n'), ("failed", 1, ""), ("cancelled", 3, "")],
)
def test_waiting_prints_the_result_and_exits_as_it_ends(
    terminal: Terminal, end: str, code: int, printed: str
) -> None:
    error = a_failure() if end == "failed" else None
    whole = a_whole(end, error=error)
    script = [reply(202, a_head()), reply(200, a_whole()), reply(200, whole)]
    terminal.answers(*script)
    result = terminal.call("workflows", "execute", "weather", "--wait")
    assert (result.exit_code, result.stdout) == (code, printed)
    told = [f"{ID} {end} after 1.500 s"]
    if error:
        told.append("  at /observe: Runtime error: no rain")
    assert result.stderr.splitlines() == told
    terminal.answers(*script)
    result = terminal.call("workflows", "execute", "weather", "--wait", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (code, whole)


def test_waiting_bears_with_a_restart(terminal: Terminal) -> None:
    down = [httpx.ConnectError("refused")] * 8
    ended = reply(200, a_whole("completed"))
    terminal.answers(reply(202, a_head()), reply(200, a_whole()), *down, ended)
    assert terminal.call("workflows", "execute", "weather", "--wait").exit_code == 0


def test_following_shows_the_story_on_stderr(terminal: Terminal) -> None:
    logs = reply(200, {"logs": [a_record(1)], "next_cursor": None})
    terminal.answers(
        reply(202, a_head()), reply(200, a_whole()), logs, reply(200, a_whole("completed")), logs
    )
    result = terminal.call("workflows", "execute", "weather", "--follow")
    assert (result.exit_code, result.stdout) == (0, '{"rain":3}\n')
    assert result.stderr.splitlines() == [
        f"{ID} is running",
        "16:30:00.123 INFO    [observe] it rains",
        f"{ID} completed after 1.500 s",
    ]


def test_ctrl_c_stops_the_waiting_only(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.run", interrupted)
    for more in ([], ["--json"]):
        terminal.answers(reply(202, a_head()), reply(200, a_whole()))
        result = terminal.call("workflows", "execute", "weather", "--wait", *more)
        assert (result.exit_code, result.stdout) == (130, "")
        assert result.stderr == f"perdure: stopped waiting for {ID}, which goes on\n"
    posts = [each for each in terminal.server.requests if each.method == "POST"]
    assert [each.url.path for each in posts] == ["/api/workflows/weather/execute"] * 2
