"""`perdure completion`, and what the shells then ask."""

import os
import subprocess
import sys

import httpx
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from perdure.cli import main
from tests.support.scripted_server import ID, a_head, a_workflow, problem, reply
from tests.unit.cli.scripted import Terminal


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_PERDURE_COMPLETE={shell}_complete" in result.stdout


def test_other_shells_are_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("perdure exec", ["executions"]),
        ("perdure executions re", ["resume"]),
        ("perdure executions list --st", ["--status", "--started-after", "--started-before"]),
        ("perdure executions list --status c", ["completed", "cancelled"]),
    ],
)
def test_commands_options_and_values_are_completed(typed: str, offered: list[str]) -> None:
    words = typed.split(" ")
    environ = {
        "_PERDURE_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    printed = subprocess.run(
        [sys.executable, "-c", "from perdure.cli import main; main(prog_name='perdure')"],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(line.partition(",")[2] for line in printed.stdout.split()) == sorted(offered)


def completed(*words: str) -> list[str]:
    completion = ShellComplete(main, {}, "perdure", "_PERDURE_COMPLETE")
    return [each.value for each in completion.get_completions(list(words[:-1]), words[-1])]


def test_ids_are_completed_from_the_server(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in terminal.environ.items():
        monkeypatch.setenv(name, value or "")
    executions = {"executions": [a_head(), a_head(execution_id="x")], "next_cursor": "c"}
    terminal.answers(reply(200, executions))
    assert completed("executions", "show", "exec") == [ID]
    workflows = {"workflows": [a_workflow()], "problems": [], "next_cursor": None}
    terminal.answers(reply(200, workflows))
    assert completed("workflows", "execute", "w") == ["weather"]
    assert completed("workflows", "show", "--url", "http://other.test", "x") == []
    assert terminal.server.requests[-1].url.host == "other.test"


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("refused"), problem(401, "unauthorized"), reply(200, "?")]
)
def test_no_server_no_ids(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception
) -> None:
    for name, value in terminal.environ.items():
        monkeypatch.setenv(name, value or "")
    terminal.answers(answer)
    assert completed("executions", "show", "") == []
    assert len(terminal.server.requests) == 1


def test_help_needs_neither_a_client_nor_a_display() -> None:
    """So that it, and each completion, is quick."""
    code = (
        "import sys; from perdure.cli import main\n"
        "for words in ([], ['executions'], ['executions', 'list'], ['workflows', 'execute']):\n"
        "    main([*words, '--help'], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = set(printed.stderr.split())
    assert not modules & {"httpx", "rich", "asyncio", "perdure.client", "apsw", "starlette"}
