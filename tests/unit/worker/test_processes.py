"""Tasks in processes of their own, real ones."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from perdure.link import messages as m
from perdure.machine import events as e
from perdure.worker import frames
from tests.support.eventually import eventually
from tests.support.scripted_engine import EXECUTION, ScriptedEngine, serving
from tests.unit.worker import process_tasks


async def outcome_of(how: str) -> tuple[m.Ended, ScriptedEngine]:
    async with serving(process_tasks.acting) as engine:
        engine.load("acting", {"how": how})
        return await engine.until_ended(), engine


async def file_with(path: Path, text: str = "") -> str:
    await eventually(lambda: path.exists() and path.read_text() and text in path.read_text())
    return path.read_text()


def gone(pid: int) -> bool:
    """Whether a process has ended, though nobody may have reaped it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


async def test_it_runs_with_its_context_in_a_group_of_its_own() -> None:
    ended, engine = await outcome_of("says who")
    assert ended.result == b'"exec-1:/act"'
    (line,) = [record for record in engine.logs if record.task == "act"]
    assert (line.message, line.fields) == ("in process", b'{"leader":true}')


async def test_it_raises() -> None:
    ended, engine = await outcome_of("raises")
    assert ended.failure is not None
    assert ended.failure.detail == "out of stock"
    failed = engine.events()[-1]
    assert isinstance(failed, e.TaskFailed)
    assert not failed.retryable
    assert any(b"_raises" in (record.fields or b"") for record in engine.logs)


@pytest.mark.parametrize(
    ("how", "detail"),
    [
        ("leaves", "the process of task act exited with status 7 before the task was over"),
        ("dies", "the process of task act was killed by SIGKILL"),
    ],
)
async def test_its_death_is_its_failure(how: str, detail: str) -> None:
    ended, engine = await outcome_of(how)
    assert ended.failure is not None
    assert ended.failure.detail == detail
    failed = engine.events()[-1]
    assert isinstance(failed, e.TaskFailed)


async def test_the_death_of_one_that_must_not_run_again() -> None:
    async with serving(process_tasks.acting_once) as engine:
        engine.load("acting_once", {"how": "dies"})
        ended = await engine.until_ended()
        assert ended.failure is not None
        assert ended.failure.type == "urn:perdure:error:crashed"
        failed = engine.events()[-1]
        assert isinstance(failed, e.TaskFailed)
        assert not failed.retryable


async def test_a_huge_result_is_refused() -> None:
    ended, _ = await outcome_of("overflows")
    assert ended.failure is not None
    assert "3,145,730 bytes" in ended.failure.detail


async def test_much_output_and_many_lines_are_no_harm(capfd: pytest.CaptureFixture[str]) -> None:
    ended, _ = await outcome_of("writes much")
    assert ended.result == b'"written"'
    assert len(capfd.readouterr().out) == 2_000 * 1024
    ended, engine = await outcome_of("talks")
    assert ended.result == b'"said"'
    said = [record.message for record in engine.logs if record.task == "act"]
    assert said == [f"line {number}" for number in range(process_tasks.CHATTY_LINES)]


async def test_it_is_asked_to_stop_and_may_clean_up(tmp_path: Path) -> None:
    place = tmp_path / "place"
    async with serving(process_tasks.acting) as engine:
        engine.load("acting", {"how": "cleans up", "place": str(place)})
        await file_with(place, "begun")
        engine.deliver(e.CancelRequested(time=0))
        assert (await engine.until_ended()).status == "cancelled"
        assert place.read_text() == "cleaned"
        assert "act was cancelled; it stopped" in engine.lines()


async def test_one_that_does_not_stop_is_killed_with_its_group(tmp_path: Path) -> None:
    place = tmp_path / "place"
    async with serving(process_tasks.acting) as engine:
        engine.send(m.Configure(1, 300, 60_000))
        engine.load("acting", {"how": "starts another", "place": str(place)})
        other = int(await file_with(place))
        engine.deliver(e.CancelRequested(time=0))
        assert (await engine.until_ended()).status == "cancelled"
        last = engine.events()[-1]
        assert isinstance(last, e.TaskCancelled)
        assert not last.abandoned
        assert gone(other)
        assert engine.all(m.Draining) == []


async def test_it_has_a_timeout(tmp_path: Path) -> None:
    async with serving(process_tasks.acting_in_time) as engine:
        place = str(tmp_path / "place")
        engine.load("acting_in_time", {"how": "sleeps", "place": place})
        ended = await engine.until_ended()
        assert ended.failure is not None
        assert ended.failure.detail == "task act_in_time took longer than 1s"
        assert "; it stopped" in engine.lines()[1]


async def test_a_closing_worker_kills_it(tmp_path: Path) -> None:
    place = tmp_path / "place"
    async with serving(process_tasks.acting) as engine:
        engine.load("acting", {"how": "starts another", "place": str(place)})
        other = int(await file_with(place))
    await eventually(lambda: gone(other))


def test_it_ends_with_its_worker(tmp_path: Path) -> None:
    place = tmp_path / "place"
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "perdure.worker.task_process", str(theirs.fileno())]
    process = subprocess.Popen(
        [*command, str(os.getpid())], pass_fds=(theirs.fileno(),), start_new_session=True
    )
    theirs.close()
    input = b'{"how":"starts another","place":"%s"}' % str(place).encode()
    reference = process_tasks.act.reference
    request = frames.Run(
        reference, EXECUTION, "acting", "/act", "act", 1, msgspec.Raw(input), sys.path
    )
    frames.send(ours, request)
    while not place.exists():
        time.sleep(0.01)
    ours.close()
    assert process.wait(10) == -9
