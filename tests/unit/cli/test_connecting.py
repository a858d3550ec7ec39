"""Which server is asked, with which token, and what is said where it refuses or is not there."""

from pathlib import Path

import httpx
import pytest

from perdure.cli import main
from tests.support.scripted_server import ID, TOKEN, a_head, a_whole, a_workflow, problem, reply
from tests.unit.cli.scripted import Terminal

EMPTY = reply(200, {"executions": [], "next_cursor": None})
LOCAL = "http://127.0.0.1:8000"


def test_url_and_token_come_from_the_environment(terminal: Terminal) -> None:
    terminal.answers(EMPTY)
    assert terminal.call("executions", "list").exit_code == 0
    [request] = terminal.server.requests
    assert str(request.url) == "http://perdure.test/api/executions?limit=50"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


def test_flags_come_first(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("prd_other\n")
    terminal.answers(EMPTY)
    terminal.call("executions", "list", "--url", "http://other.test", "--token-file", "key")
    [request] = terminal.server.requests
    assert request.url.host == "other.test"
    assert request.headers["authorization"] == "Bearer prd_other"


def test_there_is_no_flag_for_a_token() -> None:
    for group in ("executions", "workflows"):
        command = main.commands[group]
        for each in command.commands.values():  # type: ignore[attr-defined]
            assert "--token" not in [option for made in each.params for option in made.opts]


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({}, "prd_of-this-folder"),
        ({"PERDURE_DATA": "elsewhere"}, "prd_elsewhere"),
        ({"PERDURE_ADMIN_KEY": "prd_set"}, "prd_set"),
        ({"PERDURE_TOKEN": "prd_token", "PERDURE_ADMIN_KEY": "prd_set"}, "prd_token"),
        ({"PERDURE_URL": "http://[::1]:9"}, "prd_of-this-folder"),
        ({"PERDURE_DATA": "nowhere"}, None),
        ({"PERDURE_PORT": "wrong"}, None),
        ({"PERDURE_URL": "http://other.test"}, None),
        ({"PERDURE_URL": "http://localhost.other.test"}, None),
        ({"PERDURE_URL": "http://127.0.0.1.other.test"}, None),
    ],
)
def test_the_key_of_this_machine_is_for_this_machine_only(
    terminal: Terminal, tmp_path: Path, environ: dict[str, str], sent: str | None
) -> None:
    for folder, key in (("perdure-data", "prd_of-this-folder"), ("elsewhere", "prd_elsewhere")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "admin.key").write_text(f"{key}\n")
    terminal.environ = {"PERDURE_URL": LOCAL, "PERDURE_TOKEN": None, **environ}
    terminal.answers(EMPTY)
    assert terminal.call("executions", "list").exit_code == 0
    [request] = terminal.server.requests
    assert request.headers.get("authorization") == (sent and f"Bearer {sent}")


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (
            problem(401, "unauthorized", "the key is not right"),
            2,
            "perdure: the key is not right: set PERDURE_TOKEN to a key of the server, "
            "or give --token-file\n",
        ),
        (
            httpx.ConnectError("Connection refused"),
            4,
            "perdure: http://perdure.test does not answer: Connection refused; is it running? "
            "PERDURE_URL or --url say where it is\n",
        ),
        (
            problem(503, "overloaded", "the server is full", retry_after=30),
            4,
            "perdure: the server is full: try again in 30 s\n",
        ),
        (
            problem(500, "internal_error", "request 1234"),
            4,
            "perdure: request 1234\n",
        ),
        (
            problem(501, "not_supported", "not on this engine"),
            4,
            "perdure: not on this engine\n",
        ),
        (
            problem(409, "already_paused", "it is paused already"),
            2,
            "perdure: it is paused already\n",
        ),
        (
            problem(422, "invalid_request", errors=[{"location": "?x", "message": "\x1b[2J"}]),
            2,
            "perdure: no\n  ?x: \\x1b[2J\n",
        ),
        (
            httpx.Response(302, headers={"location": "https://login.test"}),
            4,
            "perdure: http://perdure.test is no server of this API: it answers with 302 Found; "
            "PERDURE_URL or --url say where it is\n",
        ),
    ],
)
def test_refusals_are_told_in_few_lines(
    terminal: Terminal, answer: httpx.Response | Exception, code: int, said: str
) -> None:
    terminal.answers(answer)
    result = terminal.call("executions", "pause", ID)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", said)


def test_a_moment_without_a_server_is_borne(terminal: Terminal) -> None:
    terminal.answers(httpx.ConnectError("Connection refused"), EMPTY)
    assert terminal.call("executions", "list").exit_code == 0


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PERDURE_TOKEN": "prd a secret"}, "perdure: the token cannot be sent: "),
        ({"PERDURE_URL": "perdure.test"}, "perdure: 'perdure.test' is no http or https URL"),
        ({"PERDURE_URL": "http://me:secret@x"}, "perdure: the URL of the server holds a password"),
    ],
)
def test_what_cannot_be_used_is_told(
    terminal: Terminal, environ: dict[str, str], said: str
) -> None:
    terminal.environ |= environ
    result = terminal.call("executions", "list")
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file or directory"), ("prd_schlüssel", "holds no key")],
)
def test_a_file_without_a_token_is_told(
    terminal: Terminal, tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content, encoding="utf-8")
    result = terminal.call("executions", "list", "--token-file", "key")
    assert (result.exit_code, result.stderr) == (2, f"perdure: --token-file key: {said}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["executions", "show", "\udcff"],
        ["executions", "list", "--created-by", "\udcff"],
        ["executions", "list", "--tag", "\udcff=1"],
        ["workflows", "execute", "weather", "--version", "\udcff"],
        ["workflows", "execute", "weather", "--input", "x=\udcff"],
        ["workflows", "execute", "weather", "--idempotency-key", "a\nb"],
        ["workflows", "execute", "weather", "--idempotency-key", "ü"],
    ],
)
def test_what_no_request_can_hold_is_told(terminal: Terminal, words: list[str]) -> None:
    result = terminal.call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("perdure: ")
    assert terminal.server.requests == []


def test_similar_ids_are_named(terminal: Terminal) -> None:
    page = {"executions": [a_head(), a_head(execution_id="exec-0")], "next_cursor": None}
    terminal.answers(problem(404, "unknown_execution", "no such one"), reply(200, page))
    result = terminal.call("executions", "show", ID[:10])
    assert (result.exit_code, result.stderr) == (
        2,
        f"perdure: no such one; did you mean {ID}?\n",
    )
    page = {"workflows": [a_workflow()], "problems": [], "next_cursor": None}
    terminal.answers(problem(404, "unknown_workflow", "no such one"), reply(200, page))
    result = terminal.call("workflows", "execute", "wether")
    assert result.stderr == "perdure: no such one; did you mean weather?\n"


@pytest.mark.parametrize("unknown", ["nothing-like-it", ""])
def test_no_id_is_named_where_none_is_similar(terminal: Terminal, unknown: str) -> None:
    page = {"executions": [a_head()], "next_cursor": None}
    terminal.answers(problem(404, "unknown_execution", "no such one"), reply(200, page))
    assert terminal.call("executions", "show", unknown).stderr == "perdure: no such one\n"


def test_looking_for_similar_ids_may_fail(terminal: Terminal) -> None:
    terminal.answers(problem(404, "unknown_execution", "no such one"), problem(500, "x"))
    result = terminal.call("executions", "show", ID)
    assert (result.exit_code, result.stderr) == (2, "perdure: no such one\n")


@pytest.mark.parametrize("group", ["executions", "workflows"])
def test_help_tells_variables_and_exit_codes(terminal: Terminal, group: str) -> None:
    said = terminal.call(group, "--help").stdout
    for part in ("PERDURE_URL", "PERDURE_TOKEN", "admin.key", "0  done", "3  the execution was"):
        assert part in said
    assert terminal.server.requests == []


def test_a_whole_one_is_what_the_server_sent(terminal: Terminal) -> None:
    terminal.answers(reply(200, a_whole("completed")))
    result = terminal.call("executions", "show", ID, "--json")
    assert result.exit_code == 0
    assert httpx.Response(200, text=result.stdout).json() == a_whole("completed")
