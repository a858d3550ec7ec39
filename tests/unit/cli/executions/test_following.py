"""`perdure executions logs` and `follow`."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result

from tests.support.scripted_server import (
    AT,
    ID,
    a_failure,
    a_record,
    a_whole,
    reply,
)
from tests.unit.cli.scripted import Terminal, interrupted

EXECUTION = f"/api/executions/{ID}"


def logs_page(*records: dict[str, Any], cursor: str | None = None) -> httpx.Response:
    return reply(200, {"logs": list(records), "next_cursor": cursor})


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# -- logs ------------------------------------------------------------------------------------


def test_logs_with_every_filter(terminal: Terminal) -> None:
    terminal.answers(logs_page(a_record(1), a_record(2, "it\x9b rains", "ERROR")))
    given = (
        "--level info --level ERROR --min-level warning --task observe -q rain "
        "--since 2026-02-23T16:30Z --until 2026-02-24T00:00Z"
    )
    result = terminal.call("executions", "logs", ID, *given.split(" "))
    assert result.stdout.splitlines() == [
        "2026-02-23 16:30:00.123 INFO    [observe] it rains",
        "2026-02-23 16:30:00.123 ERROR   [observe] it\\x9b rains",
    ]
    [request] = terminal.server.requests
    assert sorted(request.url.params.multi_items()) == [
        ("level", "ERROR"),
        ("level", "INFO"),
        ("limit", "1000"),
        ("min_level", "WARNING"),
        ("q", "rain"),
        ("since", "2026-02-23T16:30:00.000Z"),
        ("task", "observe"),
        ("until", "2026-02-24T00:00:00.000Z"),
    ]


def test_logs_for_programs(terminal: Terminal) -> None:
    terminal.answers(logs_page(a_record(1), cursor="c"), logs_page(a_record(2)))
    assert lines(terminal.call("executions", "logs", ID, "--json")) == [a_record(1), a_record(2)]


def test_the_newest_lines_are_shown_in_order(terminal: Terminal) -> None:
    terminal.answers(logs_page(*(a_record(n) for n in (9, 8, 7)), cursor="c"))
    result = terminal.call("executions", "logs", ID, "--tail", "2", "--json")
    assert [each["seq"] for each in lines(result)] == [8, 9]
    assert terminal.server.asked == [f"GET {EXECUTION}/logs?order=-seq&limit=1000"]


def test_following_a_log_ends_with_the_execution(terminal: Terminal) -> None:
    running, ended = reply(200, a_whole()), reply(200, a_whole("failed"))
    terminal.answers(
        running, logs_page(a_record(1)), ended, logs_page(a_record(1), a_record(2)),
    )  # fmt: skip
    result = terminal.call("executions", "logs", ID, "--follow", "--json")
    assert [each["seq"] for each in lines(result)] == [1, 2]
    assert result.exit_code == 0


def test_following_the_newest_lines(terminal: Terminal) -> None:
    records = [a_record(n) for n in range(1, 6)]
    terminal.answers(
        logs_page(*records[::-1]), reply(200, a_whole("completed")), logs_page(*records)
    )
    result = terminal.call("executions", "logs", ID, "-f", "-n", "2", "--json")
    assert [each["seq"] for each in lines(result)] == [4, 5]


def test_a_download_goes_into_a_file(terminal: Terminal, tmp_path: Path) -> None:
    text = "2026-02-23T16:30:00.123Z INFO it rains\n" * 1_000
    terminal.answers(httpx.Response(200, text=text))
    result = terminal.call("executions", "logs", ID, "-o", "rain.log", "--min-level", "ERROR")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "rain.log").read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == ["rain.log"]
    assert terminal.server.asked == [f"GET {EXECUTION}/logs/download?min_level=ERROR&format=text"]


def test_a_download_may_go_to_stdout(terminal: Terminal) -> None:
    terminal.answers(httpx.Response(200, text='{"seq":1}\n'))
    result = terminal.call("executions", "logs", ID, "--format", "ndjson")
    assert result.stdout == '{"seq":1}\n'


def test_a_download_that_breaks_off_leaves_no_file(terminal: Terminal, tmp_path: Path) -> None:
    async def pieces() -> Any:
        yield b"the first half"
        raise httpx.ReadError("connection reset")

    (tmp_path / "rain.log").write_text("of yesterday")
    terminal.server.at_path[f"{EXECUTION}/logs/download"] = lambda _: httpx.Response(
        200, content=pieces()
    )
    result = terminal.call("executions", "logs", ID, "-o", "rain.log")
    assert result.exit_code == 4
    assert [each.read_text() for each in tmp_path.iterdir()] == ["of yesterday"]


def test_a_download_into_nowhere_is_told(terminal: Terminal) -> None:
    terminal.answers(httpx.Response(200, text="it rains"))
    result = terminal.call("executions", "logs", ID, "-o", "nowhere/rain.log")
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


@pytest.mark.parametrize("output", [".", "..", "/", ""])
def test_a_download_into_no_file_is_told(terminal: Terminal, tmp_path: Path, output: str) -> None:
    terminal.answers(httpx.Response(200, text="it rains"))
    result = terminal.call("executions", "logs", ID, "-o", output)
    assert result.exit_code == 2 or not output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [["--follow"], ["--tail", "3"], ["--json"]])
def test_a_download_is_all_or_nothing(terminal: Terminal, more: list[str]) -> None:
    result = terminal.call("executions", "logs", ID, "-o", "-", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--output and --format take no" in result.stderr


# -- follow ----------------------------------------------------------------------------------


def a_story(end: str, **more: Any) -> list[httpx.Response]:
    tasks = [{"position": "/observe", "name": "observe", "attempt": 1, "started_at": AT}]
    return [
        reply(200, a_whole("pending")),
        logs_page(),
        reply(200, a_whole(current_tasks=tasks)),
        logs_page(a_record(1)),
        reply(200, a_whole(current_tasks=tasks)),
        logs_page(a_record(1), a_record(2, "it pours")),
        reply(200, a_whole(end, **more)),
        logs_page(a_record(1), a_record(2), a_record(3, "the end")),
    ]


@pytest.mark.parametrize(("end", "code"), [("completed", 0), ("failed", 1), ("cancelled", 3)])
def test_following_tells_the_story_and_exits_as_it_ends(
    terminal: Terminal, end: str, code: int
) -> None:
    terminal.answers(*a_story(end))
    result = terminal.call("executions", "follow", ID)
    assert result.stdout.splitlines() == [
        f"{ID} is pending",
        f"{ID} is running",
        "16:30:00.123 INFO    [observe] it rains",
        "running: observe",
        "16:30:00.123 INFO    [observe] it pours",
        "16:30:00.123 INFO    [observe] the end",
        f"{ID} {end} after 1.500 s",
        *(['{"rain":3}'] if end == "completed" else []),
    ]
    assert result.exit_code == code


def test_following_for_programs_is_an_event_a_line(terminal: Terminal) -> None:
    story = a_story("failed", error=a_failure())
    terminal.answers(*story)
    result = terminal.call("executions", "follow", ID, "--json")
    assert result.exit_code == 1
    told = lines(result)
    assert [each["event"] for each in told] == [
        "status", "tasks", "status", "log", "tasks", "log", "status", "log", "tasks", "ended",
    ]  # fmt: skip
    assert told[0] == {"event": "status", "execution_id": ID, "status": "pending"}
    assert told[3] == {"event": "log", "record": a_record(1)}
    assert [each["name"] for each in told[4]["current_tasks"]] == ["observe"]
    assert told[-1]["execution"] == a_whole("failed", error=a_failure())


def test_following_bears_with_a_restart(terminal: Terminal) -> None:
    down = [httpx.ConnectError("refused")] * 8
    terminal.answers(
        reply(200, a_whole()), logs_page(), *down, reply(200, a_whole("completed")), logs_page()
    )
    assert terminal.call("executions", "follow", ID).exit_code == 0


def test_ctrl_c_stops_the_following_only(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncio.run", interrupted)
    for command in (["follow"], ["logs", "--follow"]):
        terminal.answers(reply(200, a_whole()))
        terminal.server.at_path[f"{EXECUTION}/logs"] = lambda _: logs_page()
        result = terminal.call("executions", *command, ID)
        assert result.exit_code == 130
        assert f"stopped following {ID}, which goes on" in result.stderr
    assert {each.method for each in terminal.server.requests} == {"GET"}
