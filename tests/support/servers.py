"""A real `perdure serve` for tests: started, stopped and killed, on a port and a folder of its own.

Nothing here sleeps for a time that should be enough: `until` polls for a condition, with a
deadline. Every process of a server carries a mark in its environment, so that what outlives the
server is found wherever it has gone; it is ended when the test ends.
"""

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any, TypeVar

import httpx

from tests.support.records import Diary
from tests.support.served import diary

T = TypeVar("T")

SERVED = Path(__file__).parent / "served"
"""The folder of modules that tests serve."""
ADMIN_KEY = "prd_for_tests"
POLL_S = 0.02
START_S = 60.0
"""A busy machine may take long to start a server."""
_MARK = "TEST_SERVER_MARK"
# Below the range from which the kernel takes ports for clients: none takes a server's meanwhile.
_PORTS = range(20_000, 32_000)


async def until(
    condition: Callable[[], Awaitable[T | None]],
    what: str,
    *,
    within_s: float = 30.0,
    poll_s: float = POLL_S,
) -> T:
    """Poll until what the condition returns is true, and return it.

    A condition that raises an AssertionError or an error of the transport counts as not yet true.
    After the deadline an AssertionError names `what` was awaited.
    """
    deadline = time.monotonic() + within_s
    while True:
        last = ""
        try:
            value = await condition()
            if value:
                return value
        except (AssertionError, httpx.TransportError) as error:
            last = f": {error!r}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what}{last}")
        await asyncio.sleep(poll_s)


async def until_true(condition: Callable[[], object], what: str, *, within_s: float = 30.0) -> None:
    """`until` for a condition that need not await."""

    async def holds() -> bool:
        return bool(condition())

    assert await until(holds, what, within_s=within_s)


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Api:
    """The server's API, as a client of it calls it."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        self.http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {ADMIN_KEY}"},
            timeout=30.0,
            limits=limits,
            trust_env=False,
        )

    async def execute(
        self,
        workflow_id: str,
        *,
        wait_s: int | None = None,
        version: str | None = None,
        **inputs: Any,
    ) -> httpx.Response:
        """`POST /api/workflows/{workflow_id}/execute`, whatever it answers."""
        headers = {} if wait_s is None else {"Prefer": f"wait={wait_s}"}
        body: dict[str, Any] = {"inputs": inputs}
        if version is not None:
            body["version"] = version
        path = f"/api/workflows/{workflow_id}/execute"
        return await self.http.post(path, json=body, headers=headers)

    async def start(self, workflow_id: str, *, version: str | None = None, **inputs: Any) -> str:
        """Start an execution; its id."""
        response = await self.execute(workflow_id, version=version, **inputs)
        assert response.status_code == 202, response.text
        execution_id = response.json()["execution_id"]
        assert isinstance(execution_id, str)
        return execution_id

    async def run(self, workflow_id: str, **inputs: Any) -> dict[str, Any]:
        """Start an execution and wait for its end: the whole of it."""
        response = await self.execute(workflow_id, wait_s=30, **inputs)
        assert response.status_code == 200, response.text
        return _object(response)

    async def execution(self, execution_id: str, *, logs: int = 0) -> dict[str, Any]:
        """The whole of an execution."""
        return await self._get(f"/api/executions/{execution_id}", logs=logs)

    async def until_status(
        self, execution_id: str, *statuses: str, within_s: float = 30.0
    ) -> dict[str, Any]:
        """Wait for one of these statuses; the whole of the execution then."""
        last: Any = None

        async def reached() -> dict[str, Any] | None:
            nonlocal last
            last = await self.execution(execution_id)
            return last if last["status"] in statuses else None

        try:
            return await until(reached, f"{execution_id} is {statuses}", within_s=within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {last}") from None

    async def tasks(self, execution_id: str) -> list[dict[str, Any]]:
        """Every task run of an execution, page by page."""
        return await self._pages(f"/api/executions/{execution_id}/tasks", "tasks")

    async def logs(self, execution_id: str, *, limit: int = 1_000) -> list[dict[str, Any]]:
        """Every line of an execution's log, page by page."""
        return await self._pages(f"/api/executions/{execution_id}/logs", "logs", limit=limit)

    async def executions(self) -> list[dict[str, Any]]:
        """The head of every execution, page by page."""
        return await self._pages("/api/executions", "executions", limit=200)

    async def control(self, execution_id: str, what: str) -> httpx.Response:
        """`cancel`, `pause` or `resume` an execution, whatever it answers."""
        return await self.http.post(f"/api/executions/{execution_id}/{what}")

    async def send_event(
        self, execution_id: str, name: str, data: Any = None, *, event_id: str | None = None
    ) -> httpx.Response:
        """Send an event to an execution, whatever it answers."""
        body = {"data": data} if event_id is None else {"data": data, "id": event_id}
        return await self.http.post(f"/api/executions/{execution_id}/events/{name}", json=body)

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        response = await self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return _object(response)

    async def _pages(self, path: str, member: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await self._get(path, **query)
            found += page[member]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]


def _object(response: httpx.Response) -> dict[str, Any]:
    value = response.json()
    assert isinstance(value, dict)
    return value


class Server:
    """A server on one data folder and one port, which may be started many times.

    `environ` is added to its environment, `options` to its command line; both may be changed
    between two starts, as may `paths`, what it serves.
    """

    def __init__(
        self,
        folder: Path,
        *paths: Path,
        environ: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.paths = list(paths)
        self.environ = dict(environ or {})
        self.options = list(options)
        self.port = free_port()
        self.diary = Diary(folder / "diary.txt")
        self.api = Api(f"http://127.0.0.1:{self.port}")
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None

    # -- life ----------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The server's own process."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether its own process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All that it and its workers have written, over all its starts."""
        file = self.folder / "output.txt"
        return file.read_text(errors="replace") if file.exists() else ""

    def launch(self) -> None:
        """Start its process, and do not wait."""
        assert not self.is_alive, "the server runs already"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_")}
        ours = {
            "PERDURE_ADMIN_KEY": ADMIN_KEY,
            diary.VARIABLE: str(self.folder / "diary.txt"),
            _MARK: self._mark,
        }
        environ = kept | ours | self.environ
        command = [sys.executable, "-m", "perdure", "serve", *map(str, self.paths)]
        command += [f"--port={self.port}", f"--data={self.data}", *self.options]
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start it, and wait until it takes executions."""
        self.launch()
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until it takes executions."""

        async def ready() -> bool:
            if not self.is_alive:
                raise RuntimeError(f"the server has ended:\n{self.output}")
            return (await self.api.http.get("/readyz")).status_code == 200

        try:
            assert await until(ready, "the server is ready", within_s=START_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}") from None

    def send(self, number: Signals) -> None:
        """Send its own process a signal."""
        assert self._process is not None, "the server was not started"
        self._process.send_signal(number)

    async def exit_code(self, *, within_s: float = 30.0) -> int:
        """Wait for its own process to end; its exit code."""
        process = self._process
        assert process is not None, "the server was not started"
        await until_true(
            lambda: process.poll() is not None, "the server has ended", within_s=within_s
        )
        return process.wait()

    async def stop(self, number: Signals = SIGTERM) -> int:
        """Have it stop in order; its exit code. Nothing of it is left."""
        self.send(number)
        code = await self.exit_code()
        await self.until_gone()
        return code

    async def kill(self) -> None:
        """SIGKILL its own process; its workers have to find out for themselves, and end."""
        self.send(SIGKILL)
        await self.exit_code()
        await self.until_gone()

    # -- processes -----------------------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """The command lines of all living processes of this server, by their ids."""
        found = {}
        wanted = f"{_MARK}={self._mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if wanted in (entry / "environ").read_bytes().split(b"\0"):
                        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                        found[int(entry.name)] = command.decode(errors="replace").strip()
        return found

    def workers(self) -> list[int]:
        """The ids of its living worker processes."""
        return [
            pid
            for pid, command in self.processes().items()
            if "perdure.bootstrap.worker" in command
        ]

    async def until_gone(self, *, within_s: float = 10.0) -> None:
        """Wait until no process of this server is left; AssertionError names those that stay."""
        try:
            await until_true(
                lambda: not self.processes(), "its processes are gone", within_s=within_s
            )
        except AssertionError:
            raise AssertionError(f"processes outlive their server: {self.processes()}") from None

    async def close(self) -> None:
        """End all that is left of it, by force."""
        await self.api.http.aclose()
        if self.is_alive:
            self.send(SIGKILL)
            await self.exit_code()
        with contextlib.suppress(AssertionError):
            await self.until_gone()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)


@contextlib.asynccontextmanager
async def server(
    folder: Path,
    *paths: Path,
    environ: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    start: bool = True,
) -> AsyncIterator[Server]:
    """A server that serves `paths`, and is ended with all its processes when the block ends."""
    made = Server(folder, *paths, environ=environ, options=options)
    try:
        if start:
            await made.start()
        yield made
    finally:
        await made.close()
