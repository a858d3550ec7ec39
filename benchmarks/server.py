"""A perdure server to be measured: started as a user would, in a folder of its own."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from benchmarks.load import Target

WORKFLOWS = Path(__file__).with_name("workflows.py")
WAIT_S = 60
_START_S = 60.0
_STOP_S = 60.0
_POLL_S = 0.002
_KEY = "benchmark-key"


class ServerError(Exception):
    """The server did not do what is measured."""


class Server:
    """A running server with one worker."""

    def __init__(self, folder: Path, *served: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._said = (folder.parent / f"{folder.name}.out").open("w+b")
        self._started_s = time.perf_counter()
        command = [sys.executable, "-m", "perdure", "serve", *map(str, (WORKFLOWS, *served))]
        self._process = subprocess.Popen(
            [*command, f"--data={folder}", f"--port={self.port}"],
            cwd=folder.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    @property
    def pid(self) -> int:
        """The server's process; the workers are its children."""
        return self._process.pid

    def first_answer_s(self, path: str) -> float:
        """Send requests until one is answered: the seconds from the process's start to the answer.

        Raises ServerError where that is not with 200, or the server has ended.
        """
        while True:
            try:
                self.get(path)
                return self.age_s
            except ConnectionError:
                if self._process.poll() is not None or self._late():
                    raise ServerError(f"the server did not start: {self.said()}") from None
                time.sleep(_POLL_S)

    def wait_until_ready(self) -> None:
        """Wait until executions are started at once."""
        self.first_answer_s("/healthz")
        while True:
            with contextlib.suppress(ServerError):
                self.get("/readyz")
                return
            if self._late():
                raise ServerError(f"the server does not get ready: {self.said()}")
            time.sleep(_POLL_S)

    @property
    def age_s(self) -> float:
        """Seconds since the process was started."""
        return time.perf_counter() - self._started_s

    def _late(self) -> bool:
        return self.age_s > _START_S

    def said(self) -> str:
        """The end of what it printed."""
        self._said.seek(0)
        return self._said.read()[-2_000:].decode(errors="replace")

    # -- requests ------------------------------------------------------------------------------

    def start(
        self, workflow_id: str, inputs: Mapping[str, Any] | None = None, *, wait: bool
    ) -> Target:
        """The request that starts an execution; with `wait` it is answered at its end."""
        return start_request(f"http://127.0.0.1:{self.port}", workflow_id, inputs, wait=wait)

    def get(self, path: str) -> Any:
        """The answer to a GET. Raises ServerError where it is not 200."""
        with self.connection() as get:
            return get(path)

    @contextlib.contextmanager
    def connection(self) -> Iterator["Get"]:
        """A connection on which GETs follow each other."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_S)
        try:
            yield Get(connection)
        finally:
            connection.close()


class Get:
    """Sends a GET and decodes the answer."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def __call__(self, path: str) -> Any:
        return msgspec.json.decode(self.timed(path)[1])

    def timed(self, path: str) -> tuple[float, bytes]:
        """The milliseconds until the answer is there, and its body."""
        began_s = time.perf_counter()
        self._connection.request("GET", path, headers=request_headers())
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - began_s) * 1000
        if response.status != http.client.OK:
            raise ServerError(f"GET {path} was answered {response.status}: {body[:500]!r}")
        return took_ms, body


def start_request(
    url: str, workflow_id: str, inputs: Mapping[str, Any] | None, *, wait: bool
) -> Target:
    """The request that starts an execution at the server with that base URL."""
    return Target.to(
        f"{url}/api/workflows/{workflow_id}/execute",
        headers=request_headers() | ({"prefer": f"wait={WAIT_S}"} if wait else {}),
        body=msgspec.json.encode({"inputs": inputs or {}}),
    )


def request_headers() -> dict[str, str]:
    """What every request has to send."""
    return {"authorization": f"Bearer {_KEY}"}


def _environment() -> dict[str, str]:
    """The environment without settings of perdure, but for the key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERDURE_")}
    return kept | {"PERDURE_ADMIN_KEY": _KEY}
