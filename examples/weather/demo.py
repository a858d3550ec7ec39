"""Kill the server in the middle of a workflow, and see that nothing is lost: `make run`.

Runs `perdure serve` on this folder with data in a temporary folder, asks a question, kills the
server with SIGKILL when some tasks are recorded, starts it again and lets the workflow finish.
Every claim that it prints was checked; exit status 0 says that all of them held. It takes some
ten seconds, and leaves neither files nor processes.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console

QUESTION = "What was the weather in Seattle in July 2014?"
SECOND_QUESTION = "What was the weather in Seattle on 2012-12-24?"
PACE = "0.4s"
TASKS = (
    "parse",
    "find_source",
    "read_observations",
    "summarise_temperature",
    "summarise_precipitation",
    "summarise_wind",
    "summarise_kinds",
    "compose",
)
RECORDED_BEFORE_THE_KILL = 3
LONGEST_WAIT_SECONDS = 15.0
"""For any one thing: the server to answer, the next part of the workflow, an orderly stop."""
BETWEEN_LOOKS_SECONDS = 0.1

T = TypeVar("T")

console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


class BrokenPromise(Exception):
    """Something was not as it should be."""


class NoAnswer(BrokenPromise):
    """Nothing answers at the server's address."""


class Head(msgspec.Struct, frozen=True):
    """The answer to a start."""

    execution_id: str
    status: str


class Answer(msgspec.Struct, frozen=True):
    """Of the workflow's result, what is shown."""

    text: str


class Failure(msgspec.Struct, frozen=True):
    """Why an execution failed."""

    title: str | None = None
    detail: str | None = None


class Execution(msgspec.Struct, frozen=True):
    """An execution as a whole, as far as it is of interest here."""

    execution_id: str
    status: str
    result: Answer | None
    error: Failure | None


class TaskRun(msgspec.Struct, frozen=True):
    """One task of an execution."""

    position: str
    name: str
    status: str
    attempt: int
    started_at: str | None
    completed_at: str | None


class TaskRuns(msgspec.Struct, frozen=True):
    """A page of tasks."""

    tasks: list[TaskRun]


class LogRecord(msgspec.Struct, frozen=True):
    """One line of an execution's log."""

    seq: int
    timestamp: str
    level: str
    task: str | None
    message: str


class LogRecords(msgspec.Struct, frozen=True):
    """A page of the log."""

    logs: list[LogRecord]


class Server:
    """`perdure serve` in a process group of its own, on a folder that outlives the process."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._output = folder / "output"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as unused:
            self._port: int = unused.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the process, on the same port and data as before; it may not be ready yet."""
        command = [sys.executable, "-m", "perdure", "serve", str(Path(__file__).parent.resolve())]
        command += ["--data", str(self._data), "--port", str(self._port)]
        own_settings = {
            name: value for name, value in os.environ.items() if not name.startswith("PERDURE_")
        }
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=own_settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill the server and its workers at once, as a loss of power would; wait for the end."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(LONGEST_WAIT_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise BrokenPromise("The server was asked to end and did not.") from error

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def admin_key(self) -> str:
        return (self._data / "admin.key").read_text(encoding="utf-8").strip()

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace").rstrip()


class Api:
    """The few calls of the HTTP API that are needed here."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def look_ready(self) -> None:
        """Ask once whether the server is ready; raise BrokenPromise where it is not."""
        self._call("GET", "/readyz", token=None)

    def wait_until_ready(self) -> None:
        waiting_since = time.monotonic()
        while True:
            try:
                self.look_ready()
            except BrokenPromise:
                if self._server.has_ended():
                    raise BrokenPromise("The server ended in place of answering.") from None
                if time.monotonic() - waiting_since > LONGEST_WAIT_SECONDS:
                    raise
                time.sleep(BETWEEN_LOOKS_SECONDS)
            else:
                return

    def start(self, inputs: Mapping[str, str]) -> Head:
        return msgspec.json.decode(self._execute(inputs, expected=202), type=Head)

    def start_and_wait(self, inputs: Mapping[str, str]) -> Execution:
        whole = self._execute(inputs, expected=200, headers={"Prefer": "wait=20"})
        return msgspec.json.decode(whole, type=Execution)

    def execution(self, execution_id: str) -> Execution:
        return self._get(f"/api/executions/{execution_id}?logs=0", Execution)

    def tasks(self, execution_id: str) -> list[TaskRun]:
        """The workflow's own tasks, in the order of their starts."""
        listed = self._get(f"/api/executions/{execution_id}/tasks", TaskRuns).tasks
        return [task for task in listed if task.name in TASKS]

    def logs(self, execution_id: str, task: str | None = None) -> list[LogRecord]:
        """The log in order: all of it, or one task's lines."""
        records = self._get(f"/api/executions/{execution_id}/logs", LogRecords).logs
        return [record for record in records if task is None or record.task == task]

    def log_as_text(self, execution_id: str) -> str:
        """The log as one would write it into a file."""
        return "\n".join(
            f"{record.timestamp} {record.level} [{record.task or '-'}] {record.message}"
            for record in self.logs(execution_id)
        )

    def _execute(
        self, inputs: Mapping[str, str], expected: int, headers: Mapping[str, str] | None = None
    ) -> bytes:
        return self._call(
            "POST",
            "/api/workflows/weather/execute",
            token=self._server.admin_key(),
            body=msgspec.json.encode({"inputs": inputs}),
            expected=expected,
            headers=headers,
        )

    def _get(self, path: str, type_: type[T]) -> T:
        return msgspec.json.decode(
            self._call("GET", path, token=self._server.admin_key()), type=type_
        )

    def _call(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        body: bytes | None = None,
        expected: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        request = urllib.request.Request(self._server.url + path, data=body, method=method)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self._direct.open(request, timeout=LONGEST_WAIT_SECONDS * 2) as answer:
                content: bytes = answer.read()
                status: int = answer.status
        except urllib.error.HTTPError as error:
            content, status = error.read(), error.code
        except OSError as error:
            raise NoAnswer(f"{method} {path}: no answer ({error})") from error
        if status != expected:
            said = content.decode(errors="replace")
            raise BrokenPromise(f"{method} {path}: {status} in place of {expected}: {said}")
        return content


@dataclass
class Follower:
    """Shows what an execution does, each line of its log and each completed task once."""

    api: Api
    execution_id: str
    _shown: set[int] = field(default_factory=set)
    _completed: set[str] = field(default_factory=set)

    def until_recorded(self, count: int) -> None:
        """Return as soon as this many tasks are recorded as completed."""
        waiting_since = time.monotonic()
        while len(self._look()) < count:
            self._wait(waiting_since)
        if self.api.execution(self.execution_id).status != "running":
            raise BrokenPromise("The workflow was over before the server could be killed.")

    def until_ended(self) -> Execution:
        waiting_since = time.monotonic()
        while True:
            execution = self.api.execution(self.execution_id)
            self._look()
            if execution.status not in {"pending", "running"}:
                return execution
            self._wait(waiting_since)

    def _look(self) -> list[TaskRun]:
        completed = [
            task for task in self.api.tasks(self.execution_id) if task.status == "completed"
        ]
        for record in self.api.logs(self.execution_id):
            if record.seq not in self._shown:
                self._shown.add(record.seq)
                task = (record.task or "weather").rpartition("/")[2]
                console.print(f"  {record.timestamp[11:23]}  {task:25} {record.message}")
        for each in completed:
            if each.position not in self._completed:
                self._completed.add(each.position)
                console.print(f"  recorded: {each.name}", style="green")
        return completed

    def _wait(self, waiting_since: float) -> None:
        if time.monotonic() - waiting_since > LONGEST_WAIT_SECONDS:
            raise BrokenPromise(f"{self.execution_id} did not get on in time.")
        time.sleep(BETWEEN_LOOKS_SECONDS)


@dataclass(frozen=True)
class Recorded:
    """What the server said of one completed task: that it ran, when, and what it logged."""

    task: TaskRun
    lines: list[LogRecord]


def main() -> int:
    """Run the demonstration; the exit status is 0 only if every promise was kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="perdure-demo-") as folder:
        server = Server(Path(folder))
        try:
            demonstrate(server)
            server.stop()
        except (BrokenPromise, OSError, msgspec.MsgspecError) as error:
            console.print(f"\nThis is not as promised: {error}", style="bold red")
            console.print(f"\nWhat the server said:\n{server.output()}")
            return 1
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
        finally:
            server.kill()
    heading("Serve workflows of your own")
    console.print("  perdure serve my_workflows.py")
    return 0


def demonstrate(server: Server) -> None:
    """Ask, kill, start again, compare, and ask once more."""
    api = Api(server)
    heading("Start the server, and ask")
    server.start()
    api.wait_until_ready()
    execution_id = api.start({"query": QUESTION, "pace": PACE}).execution_id
    console.print(f"  {QUESTION}\n  {execution_id} at {server.url}")
    follower = Follower(api, execution_id)
    follower.until_recorded(RECORDED_BEFORE_THE_KILL)
    before = recorded(api, execution_id)

    heading("Kill it halfway (SIGKILL)")
    server.kill()
    expect_no_answer(api)
    console.print(f"  {len(before)} of {len(TASKS)} tasks are recorded; nothing answers any more.")

    heading("Start it again on the same data")
    server.start()
    api.wait_until_ready()
    answer = text_of(follower.until_ended())

    heading("Nothing recorded was run again")
    after = recorded(api, execution_id)
    expect_each_task_once(after)
    for position, was in before.items():
        expect_unchanged(was, after.get(position))
        console.print(
            f"  {was.task.name:25} attempt {was.task.attempt}, "
            f"{was.task.started_at} to {was.task.completed_at}, "
            f"lines logged: {len(was.lines)} - the same before and after",
        )

    heading("The answer")
    console.print(answer)
    heading("The log")
    console.print(api.log_as_text(execution_id), markup=False, highlight=False)

    heading("Another question, answered in one request")
    console.print(f"  {SECOND_QUESTION}")
    console.print(text_of(api.start_and_wait({"query": SECOND_QUESTION})))


def recorded(api: Api, execution_id: str) -> dict[str, Recorded]:
    """Every completed task by its position, with its lines of the log."""
    return {
        task.position: Recorded(task, api.logs(execution_id, task.name))
        for task in api.tasks(execution_id)
        if task.status == "completed"
    }


def text_of(execution: Execution) -> str:
    if execution.status != "completed" or execution.result is None:
        error = execution.error or Failure()
        raise BrokenPromise(f"It is {execution.status}: {error.title}, {error.detail}")
    return execution.result.text


def expect_no_answer(api: Api) -> None:
    try:
        api.look_ready()
    except NoAnswer:
        return
    except BrokenPromise:
        pass
    raise BrokenPromise("The server was killed and still answers.")


def expect_each_task_once(after: Mapping[str, Recorded]) -> None:
    names = sorted(each.task.name for each in after.values())
    if names != sorted(TASKS):
        raise BrokenPromise(f"Not every task was completed exactly once: {', '.join(names)}")


def expect_unchanged(before: Recorded, after: Recorded | None) -> None:
    """A second run would have another time, another attempt, or lines logged again."""
    if before != after:
        raise BrokenPromise(f"{before.task.name} was recorded, and changed: {before} to {after}")
    messages = [line.message for line in before.lines]
    if not messages or len(set(messages)) != len(messages) or before.task.attempt != 1:
        raise BrokenPromise(f"{before.task.name} did not run and log exactly once: {before}")


def heading(words: str) -> None:
    console.print(f"\n{words}", style="bold")


if __name__ == "__main__":
    sys.exit(main())
