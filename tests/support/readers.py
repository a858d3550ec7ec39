"""Somebody who follows a page of the documentation to the letter."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.markdown import Block
from tests.support.terminals import INTERRUPT, Terminal, pattern, typed

SERVERS = "server"
"""The title of what is typed in the terminal in which the server runs."""
_PORT = "8000"
"""The default port, which the pages use, and which may be taken here."""
_ID = re.compile(r"exec-[0-9a-v]{13}")
_ID_TO_FILL_IN = "exec-…"
"""In a command: the id that was shown last."""


class Reader:
    """Has a folder, a terminal for the server, and one beside it. It has to be closed."""

    def __init__(self, folder: Path, port: int, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._port = str(port)
        here = {name: "" for name in os.environ if name.startswith("PERDURE_")}
        installed = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        given = {
            **here,
            "PATH": installed,
            "PERDURE_PORT": self._port,
            "PERDURE_URL": f"http://127.0.0.1:{port}",
            **(environ or {}),
        }
        self._beside = Terminal(folder, given)
        self._servers = Terminal(folder, given)
        self._last_id = ""

    def close(self) -> None:
        """Close both terminals; what runs in them ends."""
        self._beside.close()
        self._servers.close()

    def save(self, block: Block) -> Path:
        """Write the file that a block shows."""
        assert block.title, f"{block.place}: which file is it?"
        file = self.folder / block.title
        file.write_text(block.text, encoding="utf-8")
        return file

    def serve(self, command: str) -> None:
        """Start a server, and wait until it serves."""
        self._expect(Block(self.folder, 0, "console", SERVERS, f"$ {command}\nperdure serves …\n"))

    def type(self, block: Block) -> None:
        """Run the commands of a block; fail where they print something else than it says."""
        self._expect(block)

    def _expect(self, block: Block) -> None:
        for step in typed(block.text.replace(_PORT, self._port)):
            command = step.command.replace(_ID_TO_FILL_IN, self._last_id)
            if command == INTERRUPT:
                self._servers.interrupt()
                continue
            if block.title != SERVERS:
                printed = self._beside.run(command)
            else:
                printed = self._servers.start(command, step.expected)
            ids = _ID.findall(printed)
            self._last_id = ids[-1] if ids else self._last_id
            if not pattern(step.expected).fullmatch(_closed(printed)):
                raise AssertionError(
                    f"{block.place}\n$ {command}\n--- has to print\n{step.expected}"
                    f"--- printed\n{printed}"
                )


def _closed(printed: str) -> str:
    """With the end of the last line, which some programs leave out."""
    return printed if printed.endswith("\n") or not printed else printed + "\n"
