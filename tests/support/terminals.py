"""Terminals of somebody who follows the documentation: what is shown typed is run, and compared.

In a block of the language ``console``, a line that begins with ``$`` is a command. It goes on in
the next line where it ends in ``\\``, and in lines that begin with ``>``. What follows up to the
next command is what it has to print, all of it: ``…`` stands for any text within a line, and a
line of nothing else for any lines.
"""

import os
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

WITHIN_S = 30.0
INTERRUPT = "^C"
"""What a terminal shows where Ctrl-C was pressed."""


@dataclass(frozen=True)
class Typed:
    """A command, and what it has to print; the command `INTERRUPT` stands for Ctrl-C."""

    command: str
    expected: str


def typed(text: str) -> list[Typed]:
    """What a block of a console shows. Raises ValueError for one that begins with no command."""
    found: list[Typed] = []
    continues = False
    for line in text.splitlines():
        if continues:
            found[-1] = Typed(f"{found[-1].command}\n{line}", "")
        elif line.startswith("> ") and found and not found[-1].expected:
            found[-1] = Typed(f"{found[-1].command}\n{line.removeprefix('> ')}", "")
        elif line.startswith("$ "):
            found.append(Typed(line.removeprefix("$ "), ""))
        elif line == INTERRUPT:
            found.append(Typed(INTERRUPT, ""))
        elif found:
            found[-1] = Typed(found[-1].command, f"{found[-1].expected}{line}\n")
            continue
        else:
            raise ValueError(f"a console begins with a command, not with {line!r}")
        continues = line.endswith("\\")
    return found


def pattern(expected: str) -> re.Pattern[str]:
    """What matches an output that is as expected, apart from space at the ends of lines."""
    lines = [
        "(?:.*\n)*?"
        if line.strip() == "…"
        else r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + "[ \t]*\n"
        for line in expected.splitlines()
    ]
    return re.compile("".join(lines))


class Terminal:
    """A shell in a folder. It has to be closed."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self._mark = f"mark-{uuid.uuid4().hex}"
        self._busy = False
        # The shell survives a Ctrl-C, as one that somebody sits at does; what it runs does not.
        self._send("trap : INT\n")

    def close(self) -> None:
        """End the shell, and what runs in it."""
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self._reading.join()

    def run(self, command: str) -> str:
        """Run a command to its end; what it printed, errors included."""
        self._type(command)
        return self._until_mark()

    def start(self, command: str, expected: str) -> str:
        """Start a command that goes on; what it printed, once that is as expected.

        Without that in time, what it printed until then.
        """
        self._type(command)
        wanted, printed = pattern(expected), ""
        while not wanted.fullmatch(printed):
            line = self._line()
            if line is None:
                break
            printed += line
        return printed

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait for the command to end."""
        assert self._busy, "nothing runs in this terminal"
        os.killpg(self._shell.pid, signal.SIGINT)
        self._until_mark()

    def _type(self, command: str) -> None:
        if self._busy:
            self._until_mark()
        # The next command is to find the status of this one in $?.
        self._send(f"{command}\nstatus=$?; echo {self._mark}; (exit $status)\n")
        self._busy = True

    def _send(self, text: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(text)
        self._shell.stdin.flush()

    def _until_mark(self) -> str:
        printed = ""
        while self._busy:
            line = self._line()
            if line is None:
                raise AssertionError(f"it does not end; it printed:\n{printed}")
            printed += line
        return printed

    def _line(self) -> str | None:
        """The next line; None where none comes in time, or the command has ended."""
        try:
            line = self._lines.get(timeout=WITHIN_S) if self._busy else None
        except Empty:
            return None
        if line is not None and line.rstrip("\n").endswith(self._mark):
            self._busy = False
            return line.rstrip("\n").removesuffix(self._mark)
        return line

    def _read(self) -> None:
        assert self._shell.stdout is not None
        with self._shell.stdout as printed:
            for line in printed:
                self._lines.put(line)
