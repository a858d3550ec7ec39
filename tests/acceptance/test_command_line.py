"""The command line against a real server, as processes: what scripts and people see of it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest
import pytest_asyncio

from tests.support.servers import ADMIN_KEY, SERVED, Server, free_port, server

MODULE = SERVED / "told.py"
WITHIN_S = 60.0
_HIDE_CURSOR = "\x1b[?25l"

with_one_server = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def its(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server for all that ask for nothing of its own."""
    async with server(tmp_path_factory.mktemp("its"), MODULE) as made:
        yield made


def environment(its: Server | None, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERDURE_")}
    port = free_port() if its is None else its.port
    ours = {"PERDURE_URL": f"http://127.0.0.1:{port}", "PERDURE_TOKEN": ADMIN_KEY}
    return kept | ours | more


def started(its: Server | None, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "perdure", *arguments],
        env=environment(its, **environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """The exit code, and what was written to stdout and stderr."""
    with process:
        out, err = process.communicate(timeout=WITHIN_S)
    assert "Traceback" not in err, err
    assert ADMIN_KEY not in out + err
    return process.returncode, out, err


def called(its: Server | None, *arguments: str, **environ: str) -> tuple[int, str, str]:
    return ended(started(its, *arguments, **environ))


def at_terminal(its: Server, *arguments: str, **environ: str) -> str:
    """What a command that has to succeed writes to a terminal."""
    ours, its_own = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "perdure", *arguments],
        env=environment(its, TERM="xterm-256color", COLUMNS="200", **environ),
        stdin=subprocess.DEVNULL,
        stdout=its_own,
        stderr=its_own,
    )
    os.close(its_own)
    seen = b""
    # A terminal whose last process has gone is an error to read from.
    with process, os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):
        while part := terminal.read(65_536):
            seen += part
    assert process.returncode == 0, seen
    return seen.decode()


def told(its: Server, *arguments: str) -> str:
    """What a command prints that has to succeed."""
    code, out, err = called(its, *arguments)
    assert code == 0, err
    return out


def documents(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def one(its: Server, *arguments: str) -> dict[str, Any]:
    [document] = documents(told(its, *arguments, "--json"))
    assert isinstance(document, dict)
    return document


@with_one_server
async def test_exit_codes(its: Server) -> None:
    """0 completed, 1 failed, 2 asked wrongly, 3 cancelled, 4 not reachable."""
    execute: Sequence[str] = ("workflows", "execute", "told", "--wait")
    completes = started(its, *execute, "--input", "lines=3")
    fails = started(its, *execute, "--input", "lines=0")
    refused = started(its, *execute, "--input", "lines=many")
    wrong = [
        started(its, *execute, "--no-such-option"),
        started(its, "executions", "show", "exec-nope"),
        started(its, "executions", "list", PERDURE_TOKEN="prd_wrong"),
    ]
    assert ended(completes)[:2] == (0, "3\n")
    code, out, err = ended(fails)
    assert (code, out) == (1, "")
    assert "nothing to tell" in err
    code, out, err = ended(refused)
    assert (code, out) == (2, "")
    assert "/inputs/lines" in err
    assert [ended(each)[0] for each in wrong] == [2, 2, 2]

    execution_id = told(its, "workflows", "execute", "asked").strip()
    following = started(its, "executions", "follow", execution_id)
    assert following.stdout is not None
    assert following.stdout.readline() == f"{execution_id} is running\n"
    assert called(its, "executions", "cancel", execution_id)[0] == 0
    code, out, _ = ended(following)
    assert code == 3
    assert f"{execution_id} cancelled" in out
    assert called(its, "executions", "follow", execution_id)[0] == 3

    code, out, err = called(None, "executions", "list")
    assert (code, out) == (4, "")
    assert err.startswith("perdure: http://127.0.0.1:")
    assert err.count("\n") == 1


@with_one_server
async def test_json_for_programs(its: Server) -> None:
    """Each command has JSON, with the names of the API."""
    given = ("--input", "lines=3", "--tag", "team=a", "--idempotency-key", "one")
    head = one(its, "workflows", "execute", "told", *given)
    execution_id = head["execution_id"]
    assert one(its, "workflows", "execute", "told", *given)["execution_id"] == execution_id
    events = documents(told(its, "executions", "follow", execution_id, "--json"))
    assert (events[0]["event"], events[-1]["event"]) == ("status", "ended")
    assert events[-1]["execution"]["result"] == 3

    whole = one(its, "executions", "show", execution_id)
    assert whole == await its.api.execution(execution_id, logs=10) | {
        "duration_ms": whole["duration_ms"]
    }
    listed = documents(told(its, "executions", "list", "--json"))
    assert listed == await its.api.executions()
    logs = documents(told(its, "executions", "logs", execution_id, "--json"))
    assert logs == await its.api.logs(execution_id)
    assert documents(told(its, "executions", "logs", "-f", execution_id, "--json")) == logs
    tasks = documents(told(its, "executions", "tasks", execution_id, "--json"))
    assert tasks == await its.api.tasks(execution_id)
    workflows = documents(told(its, "workflows", "list", "--json"))
    assert [each["workflow_id"] for each in workflows] == ["asked", "held", "told"]
    assert one(its, "workflows", "show", "told")["workflow_id"] == "told"

    waiting = one(its, "workflows", "execute", "asked")["execution_id"]
    assert one(its, "executions", "pause", waiting)["status"] == "paused"
    assert one(its, "executions", "resume", waiting)["status"] == "running"
    assert one(its, "executions", "cancel", waiting)["execution_id"] == waiting
    later = one(its, "workflows", "execute", "told", "--start-at", "2h", "--priority", "5")
    assert later["status"] == "pending"


@with_one_server
async def test_text_for_people(its: Server) -> None:
    """Without colours and moving lines where there is no terminal."""
    code, out, err = called(its, "workflows", "execute", "told", "--input", "lines=2", "--follow")
    assert (code, out) == (0, "2\n")
    assert "[tell] line 0\n" in err
    execution_id = next(word for word in err.split() if word.startswith("exec-"))
    for command in ("show", "logs", "tasks"):
        shown = told(its, "executions", command, execution_id)
        assert "tell" in shown
        assert "\x1b" not in shown + err
    assert execution_id in told(its, "executions", "list")
    nowhere = f"http://127.0.0.1:{free_port()}"
    code, out, _ = called(its, "workflows", "list", HTTP_PROXY=nowhere, http_proxy=nowhere)
    assert code == 0, "what listens on this machine is reached without a proxy"
    assert "told" in out
    assert "async def told" in told(its, "workflows", "show", "told", "--source")


@with_one_server
async def test_a_terminal_gets_colours_and_moving_lines(its: Server) -> None:
    """Unless `NO_COLOR` is set; the result stays as it is."""
    execute = ("workflows", "execute", "told", "--input", "lines=2")
    for more in ("--wait", "--follow"):
        seen = at_terminal(its, *execute, more)
        assert _HIDE_CURSOR in seen
        assert "2\r\n" in seen
    listed = at_terminal(its, "executions", "list")
    assert "\x1b[32mcompleted\x1b[0m" in listed
    plain = at_terminal(its, "executions", "list", NO_COLOR="1")
    assert "  completed  " in plain
    assert "\x1b[3" not in plain


@with_one_server
async def test_ctrl_c_stops_the_following_and_not_the_execution(its: Server) -> None:
    """Of a story, of a log and of a wait."""
    execution_id = told(its, "workflows", "execute", "asked").strip()
    for command in (["follow"], ["logs", "--follow"]):
        following = started(its, "executions", *command, execution_id)
        assert following.stdout is not None
        assert following.stdout.readline()
        following.send_signal(SIGINT)
        code, _, err = ended(following)
        assert code == 130
        assert err.startswith(f"perdure: stopped following {execution_id}, which goes on")
        assert err.count("\n") == 1
    assert (await its.api.execution(execution_id))["status"] == "running"


@with_one_server
async def test_a_reader_that_leaves_is_no_error(its: Server) -> None:
    """As `| head` does: quietly, for lines and for JSON."""
    lines = ("--input", "lines=5000", "--json", "--wait")
    [whole] = documents(told(its, "workflows", "execute", "told", *lines))
    for more in ([], ["--json"], ["--follow"]):
        reading = started(its, "executions", "logs", whole["execution_id"], *more)
        assert reading.stdout is not None
        assert reading.stderr is not None
        assert reading.stdout.readline()
        reading.stdout.close()
        with reading:
            assert reading.stderr.read() == ""
            assert reading.wait(WITHIN_S) == 141


async def test_the_key_of_a_server_on_this_machine_is_found(tmp_path: Path) -> None:
    """In its data folder, where no token is set."""
    async with server(tmp_path, MODULE, environ={"PERDURE_ADMIN_KEY": ""}) as its:
        found = called(its, "workflows", "list", PERDURE_TOKEN="", PERDURE_DATA=str(its.data))
        assert found[0] == 0
        file = str(its.data / "admin.key")
        assert called(its, "workflows", "list", "--token-file", file, PERDURE_TOKEN="x")[0] == 0
        code, _, err = called(its, "workflows", "list", PERDURE_TOKEN="")
        assert code == 2
        assert "set PERDURE_TOKEN" in err


def test_bash_takes_the_script_of_its_completion() -> None:
    perdure = Path(sys.executable).parent
    script = 'eval "$(perdure completion bash)" && complete -p perdure'
    printed = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | {"PATH": f"{perdure}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_perdure_completion" in printed.stdout
