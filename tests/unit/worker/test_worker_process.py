"""A worker as a process of its own, with a scripted engine at the other end."""

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perdure.bootstrap.worker_command import worker_command
from perdure.link import messages as m
from perdure.link.socket import engine_end
from perdure.worker import watchdog
from perdure.worker.marks import Marks
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine

FLOWS = """
import asyncio, logging, os, subprocess, sys, time
from perdure.authoring.context import current_task
from perdure.authoring.task import task
from perdure.authoring.workflow import workflow

log = logging.getLogger(__name__)
print("loaded")


@task
async def act(how: str) -> str:
    if how == "spin":
        while True:
            pass
    if how == "exit in a subtask":
        async def leave() -> None:
            sys.exit(4)
        asyncio.create_task(leave())
        await asyncio.sleep(0.05)
        return "here still"
    if how == "sleep":
        await asyncio.sleep(600)
    log.info("did %s", how)
    return how


@task(process=True)
def sleeps_apart(place: str) -> None:
    with open(place, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)


@workflow
async def acts(how: str) -> str:
    return await act(how)


@workflow
async def works_apart(place: str) -> None:
    await sleeps_apart(place)
"""


class RunningWorker:
    """The process, and what the server holds of it."""

    def __init__(
        self, engine: ScriptedEngine, process: "subprocess.Popen[bytes]", life: int, marks: Marks
    ) -> None:
        self.engine = engine
        self.process = process
        self.life = life
        self.marks = marks

    def let_go(self) -> None:
        """Close the server's end of the pipe, as its death would."""
        if self.life >= 0:
            os.close(self.life)
            self.life = -1

    async def gone(self) -> int:
        """Wait for the end of the process; its exit status."""
        await eventually(lambda: self.process.poll() is not None)
        return self.process.wait()


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[RunningWorker]:
    (folder / "flows_apart.py").write_text(FLOWS)
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    marks = Marks.create(8)
    command = worker_command(
        link_fd=theirs.fileno(),
        marks_fd=marks.fd,
        life_fd=read,
        lock=folder / "workers.lock",
        paths=[folder / "flows_apart.py", folder / "broken.py"],
    )
    process = subprocess.Popen(command, pass_fds=(theirs.fileno(), marks.fd, read))
    theirs.close()
    os.close(read)
    engine = ScriptedEngine()
    ours.setblocking(False)
    engine.channel = await engine_end(ours, engine)
    engine.send(m.Configure(1, 10_000, 60_000))
    worker = RunningWorker(engine, process, write, marks)
    try:
        yield worker
    finally:
        process.kill()
        process.wait()
        worker.let_go()
        engine.channel.close()
        marks.close()
        await asyncio.sleep(0)


def locked(path: Path) -> bool:
    """Whether some process holds the lock."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def test_it_says_what_it_serves_runs_it_and_stops(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        engine = worker.engine
        served = await engine.until_sent(m.Serving)
        assert [entry.workflow_id for entry in served.workflows] == ["acts", "works_apart"]
        (problem,) = served.problems
        assert problem.path.endswith("broken.py")
        assert "nothing_of_that_name" in problem.detail
        engine.load("acts", {"how": "greet"})
        assert (await engine.until_ended()).result == b'"greet"'
        assert "did greet" in engine.lines()
        assert locked(tmp_path / "workers.lock")
        engine.send(m.Stop(5_000))
        assert await worker.gone() == 0
        assert not locked(tmp_path / "workers.lock")


async def test_it_leaves_signals_to_the_server(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        await worker.engine.until_sent(m.Serving)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            worker.process.send_signal(number)
        worker.engine.load("acts", {"how": "greet"})
        assert (await worker.engine.until_ended()).result == b'"greet"'


async def test_it_ends_with_its_link(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        await worker.engine.until_sent(m.Serving)
        assert worker.engine.channel is not None
        worker.engine.channel.close()
        assert await worker.gone() == watchdog.ORPHANED


async def test_it_ends_with_its_server_also_while_it_spins(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        worker.engine.load("acts", {"how": "spin"})
        await worker.engine.until(worker.marks.read)
        await asyncio.sleep(0.1)
        (mark,) = worker.marks.read()
        assert (mark.execution_id, mark.position) == ("exec-1", "/act")
        worker.let_go()
        assert await worker.gone() == watchdog.ORPHANED
        assert [mark.position for mark in worker.marks.read()] == ["/act"]


async def test_nothing_in_a_task_ends_its_loop(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        worker.engine.load("acts", {"how": "exit in a subtask"})
        assert (await worker.engine.until_ended()).result == b'"here still"'


async def test_processes_of_tasks_end_with_it_and_hold_its_lock(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        place = tmp_path / "place"
        worker.engine.load("works_apart", {"place": str(place)})
        await worker.engine.until(lambda: place.exists() and place.read_text())
        pid = int(place.read_text())
        held = [descriptor.readlink() for descriptor in Path(f"/proc/{pid}/fd").iterdir()]
        assert tmp_path / "workers.lock" in held
        os.kill(pid, signal.SIGSTOP)
        worker.process.kill()
        await eventually(lambda: not locked(tmp_path / "workers.lock"))


async def test_stopping_within_a_time_ends_what_does_not_end(tmp_path: Path) -> None:
    async with started(tmp_path) as worker:
        worker.engine.load("acts", {"how": "sleep"})
        await worker.engine.until_sent(m.Append)
        worker.engine.send(m.Stop(200))
        assert await worker.gone() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does it on Linux only")
def test_the_kernel_ends_a_process_whose_parent_is_gone(tmp_path: Path) -> None:
    inner = (
        "import sys, time, os\n"
        "from perdure.worker.watchdog import end_with_parent\n"
        "end_with_parent()\n"
        "print(os.getpid(), flush=True)\n"
        "while True: pass\n"
    )
    outer = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {inner!r}], stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", outer], capture_output=True, check=True)
    pid = int(ended.stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            break
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_whose_parent_is_gone_before_it_looks_ends() -> None:
    script = "from perdure.worker.watchdog import end_with_parent; end_with_parent(1)"
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == watchdog.ORPHANED
