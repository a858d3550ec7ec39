"""`perdure executions list`, `show`, `tasks`, `cancel`, `pause` and `resume`."""

import json
from datetime import datetime, timedelta
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
from tests.unit.cli.scripted import Terminal

EXECUTION = f"/api/executions/{ID}"


def page(*heads: dict[str, Any], cursor: str | None = None, **more: Any) -> httpx.Response:
    return reply(200, {"executions": list(heads), "next_cursor": cursor, **more})


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# -- send ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sent"), [([], None), (["--data", '{"a": [1]}'], {"a": [1]}), (["--data", "x"], "x")]
)
def test_an_event_is_sent(terminal: Terminal, given: list[str], sent: Any) -> None:
    receipt = {"execution_id": ID, "name": "go", "id": "e-1", "duplicate": False}
    terminal.answers(reply(202, receipt))
    result = terminal.call("executions", "send", ID, "go", "--event-id", "e-1", *given)
    assert (result.exit_code, result.stdout) == (0, f"{ID} has received go\n")
    [request] = terminal.server.requests
    assert request.url.path == f"{EXECUTION}/events/go"
    assert json.loads(request.content) == {"data": sent, "id": "e-1"}


def test_an_event_that_came_before(terminal: Terminal) -> None:
    receipt = {"execution_id": ID, "name": "go", "id": "e-1", "duplicate": True}
    terminal.answers(reply(200, receipt), reply(200, receipt))
    result = terminal.call("executions", "send", ID, "go", "--event-id", "e-1")
    assert result.stdout == f"{ID} has received go before\n"
    assert lines(terminal.call("executions", "send", ID, "go", "--json")) == [receipt]


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


@pytest.mark.parametrize("option", ["--created-by", "-q", "--workflow"])
def test_an_empty_filter_is_sent_and_not_ignored(terminal: Terminal, option: str) -> None:
    terminal.answers(problem(422, "invalid_request"))
    assert terminal.call("executions", "list", option, "").exit_code == 2
    assert "=&" in terminal.server.asked[0]


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
        "2026-02-23 16:30:00.123 WARNING [observe] it is",
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
    assert terminal.call("executions", "cancel", ID, "--json").stderr == ""


def test_an_id_cannot_move_the_terminal(terminal: Terminal) -> None:
    terminal.answers(reply(200, a_head("paused", "exec-\x1b[2J")))
    assert terminal.call("executions", "pause", ID).stdout == "exec-\\x1b[2J is paused\n"
    assert "\x1b" not in terminal.call("workflows", "execute", "weather").stdout


def test_a_change_that_cannot_be_is_told(terminal: Terminal) -> None:
    terminal.answers(problem(409, "already_ended", "it has ended: completed"))
    result = terminal.call("executions", "cancel", ID)
    assert (result.exit_code, result.stderr) == (2, "perdure: it has ended: completed\n")
