"""The command line over a scripted server, in virtual time."""

import asyncio
import functools
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

import perdure.client
from perdure.cli import main
from tests.support.scripted_server import TOKEN, ScriptedServer
from tests.support.virtual_time import run_virtually

URL = "http://perdure.test"


class Terminal:
    """Calls the command `perdure`; `server` answers what it asks."""

    def __init__(self) -> None:
        self.server = ScriptedServer()
        self.environ: dict[str, str | None] = {"PERDURE_URL": URL, "PERDURE_TOKEN": TOKEN}

    def answers(self, *replies: httpx.Response | Exception) -> None:
        """What the server answers from now on, one after the other."""
        self.server.replies = list(replies)

    def call(self, *arguments: str, stdin: str | None = None) -> Result:
        """Call the command. No traceback ever comes of it, and never the token."""
        result = CliRunner().invoke(main, arguments, input=stdin, env=self.environ)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        assert "Traceback" not in result.output
        assert TOKEN not in result.output
        return result


def interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Run a command as `asyncio.run` does when Ctrl-C is pressed once it waits."""

    async def run() -> None:
        task = asyncio.create_task(work)
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    try:
        run_virtually(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """A terminal in an empty folder, in UTC."""
    made = Terminal()
    monkeypatch.chdir(tmp_path)
    client = functools.partial(perdure.client.Client, transport=made.server)
    monkeypatch.setattr(perdure.client, "Client", client)
    monkeypatch.setattr("asyncio.run", run_virtually)
    return made
