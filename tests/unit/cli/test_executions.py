"""`perdure executions`: what each command asks, prints and exits with."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result

from tests.support.scripted_server import (
    AT,
    ID,
    LATER,
    a_failure,
    a_head,
    a_record,
    a_task,
    a_whole,
    problem,
    reply,
)
from tests.unit.cli.scripted import Terminal, interrupted

EXECUTION = f"/api/executions/{ID}"


def page(*heads: dict[str, Any], cursor: str | None = None, **more: Any) -> httpx.Response:
    return reply(200, {"executions": list(heads), "next_cursor": cursor, **more})


def logs_page(*records: dict[str, Any], cursor: str | None = None) -> httpx.Response:
    return reply(200, {"logs": list(records), "next_cursor": cursor})


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# -- list ------------------------------------------------------------------------------------


def test_a_list_is_a_table_for_people(terminal: Terminal) -> None:
    failed = a_head("failed", "exec-2", workflow_id="longer", tags={"a": "1", "b": "\x1b"})
    terminal.answers(page(a_head(), failed))
    result = terminal.call("executions", "list")
    assert result.stdout.splitlines() == [
        "EXECUTION           STATUS   WORKFLOW  VERSION  CREATED              TOOK  TAGS",
        f"{ID}  running  weather   1        2026-02-23 16:30:00  -     team=a",
        "exec-2              failed   longer    1        2026-02-23 16:30:00  1.5s  a=1 b=\\x1b",
    ]
    assert result.stderr == ""


def test_a_list_is_an_execution_a_line_for_programs(terminal: Terminal) -> None:
    terminal.answers(page(a_head(), a_head("failed", "exec-2"), cursor="c"))
    result = terminal.call("executions", "list", "--json", "--limit", "2")
    assert lines(result) == [a_head(), a_head("failed", "exec-2")]
    assert result.stderr == ""


def test_every_filter_is_sent(terminal: Terminal) -> None:
    terminal.answers(page())
    given = (
        "--workflow a --workflow b --status failed --status paused --tag team=a --tag url=http://x "
        "--created-by admin --order -started_at -q rain --created-after 2026-02-23T16:30:00Z "
        "--created-before 2026-02-23T17:30+01:00 --started-after 2026-02-23 "
        "--started-before 2026-02-23T16:30"
    )
    result = terminal.call("executions", "list", *given.split(" "))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "there are none\n")
    [request] = terminal.server.requests
    assert sorted(request.url.params.multi_items()) == [
        ("created_after", "2026-02-23T16:30:00.000Z"),
        ("created_before", "2026-02-23T16:30:00.000Z"),
        ("created_by", "admin"),
        ("limit", "50"),
        ("order", "-started_at"),
        ("q", "rain"),
        ("started_after", "2026-02-23T00:00:00.000Z"),
        ("started_before", "2026-02-23T16:30:00.000Z"),
        ("status", "failed"),
        ("status", "paused"),
        ("tag", "team:a"),
        ("tag", "url:http://x"),
        ("workflow_id", "a"),
        ("workflow_id", "b"),
    ]


def test_a_length_of_time_is_so_long_ago(terminal: Terminal) -> None:
    terminal.answers(page())
    terminal.call("executions", "list", "--created-after", "1h30m")
    [request] = terminal.server.requests
    sent = datetime.fromisoformat(request.url.params["created_after"])
    ago = datetime.now(sent.tzinfo) - sent
    assert timedelta(minutes=90) <= ago < timedelta(minutes=95)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--created-after", "yesterday"],
            "perdure: --created-after 'yesterday': a moment is expected, such as "
            "2026-02-23T16:30:00Z, or a length of time, such as 2h for two hours ago\n",
        ),
        (
            ["--tag", "team"],
            "perdure: --tag 'team': a key and a value are expected, such as team=a\n",
        ),
    ],
)
def test_wrong_filters_are_told(terminal: Terminal, arguments: list[str], said: str) -> None:
    result = terminal.call("executions", "list", *arguments)
    assert (result.exit_code, result.stderr) == (2, said)
    assert terminal.server.requests == []


@pytest.mark.parametrize("arguments", [["--status", "done"], ["--limit", "0"], ["--order", "up"]])
def test_wrong_options_are_a_wrong_usage(terminal: Terminal, arguments: list[str]) -> None:
    assert terminal.call("executions", "list", *arguments).exit_code == 2


def test_more_than_is_shown_is_told(terminal: Terminal) -> None:
    terminal.answers(page(a_head(), cursor="c"))
    result = terminal.call("executions", "list", "--limit", "1")
    assert len(terminal.server.requests) == 1
    assert result.stderr == "there are more: --limit N, or --all\n"


def test_a_limit_beyond_a_page_takes_several(terminal: Terminal) -> None:
    heads = [a_head(execution_id=f"exec-{n}") for n in range(200)]
    terminal.answers(page(*heads, cursor="c"), page(*heads[:50], cursor="d"))
    result = terminal.call("executions", "list", "--limit", "250")
    assert [each.partition("?")[2] for each in terminal.server.asked] == [
        "limit=200",
        "limit=50&cursor=c",
    ]
    assert len(result.stdout.splitlines()) == 251


def test_all_are_all_pages(terminal: Terminal) -> None:
    terminal.answers(page(a_head(), cursor="c"), page(a_head(), cursor="d"), page(a_head()))
    result = terminal.call("executions", "list", "--all", "--limit", "1", "--json")
    assert len(lines(result)) == 3


def test_a_page_may_be_empty_and_not_the_last(terminal: Terminal) -> None:
    terminal.answers(page(cursor="c"), page(a_head(), cursor="d"), page())
    result = terminal.call("executions", "list", "-q", "rain")
    assert [each.split()[0] for each in result.stdout.splitlines()] == ["EXECUTION", ID]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("exact", "said"), [(True, "in all: 7\n"), (False, "in all, at least: 7\n")]
)
def test_the_total_is_asked_for_once(terminal: Terminal, exact: bool, said: str) -> None:
    first = page(a_head(), cursor="c", total=7, total_is_exact=exact)
    terminal.answers(first, page(a_head()))
    result = terminal.call("executions", "list", "--total")
    assert ["total" in each for each in terminal.server.asked] == [True, False]
    assert result.stderr == said


# -- show ------------------------------------------------------------------------------------


def test_a_failed_one_says_why_first(terminal: Terminal) -> None:
    whole = a_whole(
        "failed",
        error=a_failure("no \x1b[31mrain"),
        logs=[a_record(7, "it is\ndry", "WARNING")],
        attempt=2,
        cancel_requested_at=AT,
        paused_at=LATER,
    )
    terminal.answers(reply(200, whole))
    result = terminal.call("executions", "show", ID)
    assert terminal.server.asked == [f"GET {EXECUTION}?logs=10"]
    assert result.stdout.splitlines() == [
        f"{ID} failed after 1.5s",
        "error         Runtime error: no \\x1b[31mrain",
        "at            /observe",
        "workflow      weather, version 1",
        "created       2026-02-23 16:30:00 by admin",
        "started       2026-02-23 16:30:00",
        "ended         2026-02-23 16:30:01",
        "paused        2026-02-23 16:30:01",
        "cancel asked  2026-02-23 16:30:00",
        "run           2",
        "tags          team=a",
        'inputs        {"query":"rain"}',
        "",
        "16:30:00.123 WARNING [observe] it is",
        "    dry",
    ]


def test_what_it_does_and_waits_for(terminal: Terminal) -> None:
    tasks = [{"position": "/observe", "name": "observe", "attempt": 2, "started_at": AT}]
    waits = [
        {"kind": "event", "position": "/e", "since": AT, "name": "paid", "until": None},
        {"kind": "timer", "position": "/t", "since": AT, "name": None, "until": LATER},
        {"kind": "of-a-newer-server", "position": "", "since": AT, "name": None, "until": None},
    ]
    terminal.answers(reply(200, a_whole(current_tasks=tasks, waiting_for=waits)))
    shown = terminal.call("executions", "show", ID, "--logs", "0").stdout.splitlines()
    assert shown[:5] == [
        f"{ID} running",
        "running      observe, attempt 2, since 2026-02-23 16:30:00",
        "waiting for  event paid, since 2026-02-23 16:30:00",
        "waiting for  timer until 2026-02-23 16:30:01, since 2026-02-23 16:30:00",
        "waiting for  of-a-newer-server, since 2026-02-23 16:30:00",
    ]


def test_a_large_value_is_cut_off(terminal: Terminal) -> None:
    terminal.answers(reply(200, a_whole("completed", result="x" * 10_000)))
    shown = terminal.call("executions", "show", ID).stdout
    assert "xxx… (10,002 characters; --json shows all)" in shown
    assert len(shown) < 3_000


# -- tasks -----------------------------------------------------------------------------------


def test_tasks_are_a_table(terminal: Terminal) -> None:
    failed = a_task("/do/0/b", "failed", error=a_failure("bro\nken"), attempt=3)
    tasks = [a_task(), failed, a_task("/c", "running")]
    terminal.answers(reply(200, {"tasks": tasks, "next_cursor": None}))
    assert terminal.call("executions", "tasks", ID).stdout.splitlines() == [
        "STARTED              TASK     STATUS     ATTEMPT  TOOK  POSITION  ERROR",
        "2026-02-23 16:30:00  observe  completed  1        1.5s  /observe  ",
        "2026-02-23 16:30:00  b        failed     3        1.5s  /do/0/b   bro ken",
        "2026-02-23 16:30:00  c        running    1        -     /c        ",
    ]


def test_tasks_for_programs(terminal: Terminal) -> None:
    tasks = [a_task(input={"x": 1}, output=None), a_task("/b", "failed", error=a_failure())]
    terminal.answers(reply(200, {"tasks": tasks, "next_cursor": None}))
    assert lines(terminal.call("executions", "tasks", ID, "--json")) == tasks


def test_many_tasks_have_one_header(terminal: Terminal) -> None:
    tasks = [a_task(f"/t{n}") for n in range(250)]
    terminal.answers(reply(200, {"tasks": tasks, "next_cursor": None}))
    shown = terminal.call("executions", "tasks", ID).stdout
    assert (shown.count("\n"), shown.count("STARTED")) == (251, 1)


def test_no_tasks(terminal: Terminal) -> None:
    terminal.answers(reply(200, {"tasks": [], "next_cursor": None}))
    result = terminal.call("executions", "tasks", ID)
    assert (result.stdout, result.stderr) == ("", "there are none\n")


# -- logs ------------------------------------------------------------------------------------


def test_logs_with_every_filter(terminal: Terminal) -> None:
    terminal.answers(logs_page(a_record(1), a_record(2, "it\x9b rains", "ERROR")))
    given = (
        "--level info --level ERROR --min-level warning --task observe -q rain "
        "--since 2026-02-23T16:30Z --until 2026-02-24T00:00Z"
    )
    result = terminal.call("executions", "logs", ID, *given.split(" "))
    assert result.stdout.splitlines() == [
        "16:30:00.123 INFO    [observe] it rains",
        "16:30:00.123 ERROR   [observe] it\\x9b rains",
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


# -- control ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "now"), [("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")]
)
def test_a_change_is_told(terminal: Terminal, command: str, now: str) -> None:
    terminal.answers(reply(200, a_head(now)))
    result = terminal.call("executions", command, ID)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{ID} is {now}\n", "")
    assert terminal.server.asked == [f"POST {EXECUTION}/{command}"]
    assert lines(terminal.call("executions", command, ID, "--json")) == [a_head(now)]


def test_a_cancel_that_takes_time_says_how_to_see_its_end(terminal: Terminal) -> None:
    terminal.answers(reply(202, a_head()))
    result = terminal.call("executions", "cancel", ID)
    assert (result.exit_code, result.stdout) == (0, f"{ID} is running\n")
    assert f"perdure executions follow {ID}" in result.stderr


def test_a_change_that_cannot_be_is_told(terminal: Terminal) -> None:
    terminal.answers(problem(409, "already_ended", "it has ended: completed"))
    result = terminal.call("executions", "cancel", ID)
    assert (result.exit_code, result.stderr) == (2, "perdure: it has ended: completed\n")
