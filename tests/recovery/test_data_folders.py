"""Data folders that cannot be used are refused with words that help; one that fills up is survived.

Proven with real processes: a folder has one server at a time; what is no folder, no database, newer
or read-only is refused at once with exit code 2 and without a traceback, and nothing in it changes;
and while the disk takes no writes, starts are refused (503, `Retry-After`), nothing that was
acknowledged is lost or repeated, and everything goes on once there is space, without a restart.
"""

import contextlib
import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.support.load import Witness
from tests.support.served.slow import DONE
from tests.support.servers import SERVED, Server, server, until

SLOW = SERVED / "slow.py"
LOAD = SERVED / "load.py"


async def refusal(tmp_path: Path, data: Path) -> str:
    """Start a server on `data`, which refuses it: what it says of that."""
    folder = tmp_path / "refused"
    folder.mkdir()
    async with server(folder, SLOW, start=False) as refused:
        refused.data = data
        refused.launch()
        assert await refused.exit_code() == 2, refused.output
        await refused.until_gone()
        assert "Traceback" not in refused.output
        return refused.output


# -- folders that cannot be used -------------------------------------------------------------------


async def test_a_folder_has_one_server(tmp_path: Path) -> None:
    async with server(tmp_path, SLOW) as served:
        asked = time.monotonic()
        said = await refusal(tmp_path, served.data)
        assert time.monotonic() - asked < 20
        assert said == (
            f"perdure: another server (process {served.pid}) uses the data folder {served.data}: "
            "stop it, or name another folder with --data\n"
        )
        whole = await served.api.run("lingering", seconds=0)
        assert whole["status"] == "completed"


async def test_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    async with server(tmp_path, SLOW) as served:
        served.send(SIGKILL)
        await served.exit_code()
        await served.start()


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    said = await refusal(tmp_path, file)
    assert said == f"perdure: {file} is a file: --data names a folder for perdure's data\n"
    assert file.read_text() == "kept"


@pytest.mark.parametrize("name", ["perdure.db", "logs.db"])
async def test_what_is_no_database_is_left_alone(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).write_text("a letter, and quite a long one at that\n" * 1000)
    before = (data / name).read_bytes()
    said = await refusal(tmp_path, data)
    assert said.startswith(f"perdure: {data / name} is no SQLite database, or is damaged")
    assert (data / name).read_bytes() == before


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with contextlib.closing(sqlite3.connect(data / "perdure.db")) as other:
        other.execute("CREATE TABLE letters (text)")
        other.commit()
    before = (data / "perdure.db").read_bytes()
    said = await refusal(tmp_path, data)
    assert said.startswith(f"perdure: {data / 'perdure.db'} is a database of another program")
    assert (data / "perdure.db").read_bytes() == before


async def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    async with server(tmp_path, SLOW) as served:
        assert await served.stop() == 0
        with contextlib.closing(sqlite3.connect(served.data / "perdure.db")) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            database.execute(f"PRAGMA user_version = {version + 1}")
        said = await refusal(tmp_path, served.data)
        assert f"{served.data / 'perdure.db'} has schema version {version + 1}" in said
        with contextlib.closing(sqlite3.connect(served.data / "perdure.db")) as database:
            database.execute(f"PRAGMA user_version = {version}")
        await served.start()


async def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with mounted(data, "--bind", str(data)):
        mount("-o", "remount,ro,bind", str(data))
        said = await refusal(tmp_path, data)
    assert said.startswith(f"perdure: the data folder {data} cannot be written: Read-only file")
    assert "--data" in said


# -- a disk that takes no writes -------------------------------------------------------------------


async def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with mounted(data, "-t", "tmpfs", "-o", "size=8m", "tmpfs"):
        ballast = data / "ballast"

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))

        async with server(tmp_path, SLOW, LOAD) as served:
            await assert_survived(served, fill, ballast.unlink, "no space is left")


async def test_a_disk_that_fails_is_survived(tmp_path: Path) -> None:
    async with server(tmp_path, SLOW, LOAD) as served:
        wal = served.data / "perdure.db-wal"

        def refuse_to_grow() -> None:
            limit = max(wal.stat().st_size, (tmp_path / "output.txt").stat().st_size)
            resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        def let_grow() -> None:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(served.pid, resource.RLIMIT_FSIZE, unlimited)

        await assert_survived(served, refuse_to_grow, let_grow, "reading or writing")


async def assert_survived(
    served: Server, fail: Callable[[], object], mend: Callable[[], object], said: str
) -> None:
    """Have the disk fail under executions of all kinds: all go on once it is mended."""
    api = served.api
    witness = Witness(served)
    running: dict[str, Any] = {
        await api.start("lingering", seconds=0.7): "lingered and finished",
        await api.start("dwelling", seconds=0.7): "dwelt and finished",
        await api.start("toiling", seconds=0.7): "toiled and finished",
        await api.start("sleeping", length="700ms"): "slept and finished",
    }
    busy = [*running][:3]
    waiting = await api.start("attentive", first=1)
    ended = await api.run("chain", steps=3)

    async def waits() -> bool:
        return bool((await api.execution(waiting))["waiting_for"])

    assert await until(waits, "it waits for its event")
    fail()
    witness.look()

    async def refused() -> bool:
        response = await api.execute("chain", steps=1)
        if response.status_code == 202:
            running[response.json()["execution_id"]] = 0
            return False
        assert response.status_code == 503, response.text
        problem = response.json()
        assert problem["code"] == "storage_failed", problem
        assert said in problem["detail"], problem
        assert int(response.headers["retry-after"]) > 0
        return True

    assert await until(refused, "starts are refused")
    response = await api.send_event(waiting, "word", 5)
    assert (response.status_code, response.json()["code"]) == (503, "storage_failed")
    for what in ("pause", "cancel"):
        response = await api.control(waiting, what)
        assert (response.status_code, response.json()["code"]) == (503, "storage_failed")

    failing = time.monotonic()
    used_s = cpu_s(served.pid)
    while time.monotonic() - failing < 2.5:  # time for the running tasks to end, and some more
        assert (await api.execution(ended["execution_id"]))["result"] == ended["result"]
        assert await refused()
        witness.look()
    use = (cpu_s(served.pid) - used_s) / (time.monotonic() - failing)
    assert use < 0.7, f"the server is {use:.0%} busy with nothing to be done"

    mend()

    async def taken() -> bool:
        response = await api.execute("chain", steps=4)
        if response.status_code == 202:
            running[response.json()["execution_id"]] = 6
        return response.status_code == 202

    assert await until(taken, "starts are taken again")
    response = await api.send_event(waiting, "word", 5)
    assert response.status_code == 202
    running[waiting] = 7
    for execution_id, result in running.items():
        whole = await api.until_status(execution_id, "completed", "failed", "cancelled", "paused")
        assert (whole["status"], whole["result"]) == ("completed", result), whole
        logs = [line["message"] for line in await api.logs(execution_id)]
        if execution_id in busy:
            assert logs.count(DONE % "0.7") == 1, logs
    witness.look()
    assert len(served.workers()) == 1
    assert await served.stop() == 0


def cpu_s(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[None]:
    """Mount something for the block; the test is skipped where this user may not."""
    try:
        mount(*arguments, str(where))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting is not allowed here: {error}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True, capture_output=True)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
