"""An evaluator's process on a busy machine: only what it could have used is its time."""

import asyncio
import os
import select
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGSTOP

import msgspec
import pytest

from perdure.openworkflow.expressions.outside import encode_arguments
from perdure.worker import evaluator_process
from perdure.worker.evaluating import Answer, Evaluate, Refused, Value
from perdure.worker.evaluator_process import PATIENCE_FACTOR, WALL_FACTOR, EvaluatorProcess
from perdure.worker.starvation import starved_s
from tests.support.servers import until_true

DEADLINE_S = 30.0
NO_ARGUMENTS = msgspec.Raw(encode_arguments((), b"[1]"))
ENDLESS = "last(range(1e12))"


@pytest.fixture
async def process() -> AsyncIterator[EvaluatorProcess]:
    made = EvaluatorProcess(asyncio.get_running_loop(), ())
    yield made
    made.close()


def asked(process: EvaluatorProcess, expression: str, cpu_s: float) -> asyncio.Future[Answer]:
    """Ask; the answer to come."""
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    process.ask(Evaluate(expression, NO_ARGUMENTS, cpu_s), answer.set_result)
    return answer


async def started(process: EvaluatorProcess) -> int:
    """Have it started; its id."""
    assert isinstance(await asyncio.wait_for(asked(process, ".", 1.0), DEADLINE_S), Value)
    assert process.pid is not None
    return process.pid


SPINNING = """
import os
os.sched_setaffinity(0, {cpu})
os.write(1, b".")
while True: pass
"""


@contextmanager
def crowd(others: int) -> Iterator[tuple[int, list[int]]]:
    """A CPU on which processes never rest, and their ids.

    Each has a session of its own: the kernel may give each session the same time.
    """
    cpu = min(os.sched_getaffinity(0))
    command = [sys.executable, "-I", "-c", SPINNING.format(cpu={cpu})]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        for _ in range(others)
    ]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.read(1) == b"."
        yield cpu, [each.pid for each in processes]
    finally:
        for each in processes:
            each.kill()
            each.communicate()


linux = pytest.mark.skipif(sys.platform != "linux", reason="nobody counts it elsewhere")


@linux
async def test_time_without_a_cpu_is_not_counted(process: EvaluatorProcess) -> None:
    pid = await started(process)
    cpu_s = 0.3
    with crowd(3) as (cpu, _):
        os.sched_setaffinity(pid, {cpu})
        begun_s = time.monotonic()
        answer = await asyncio.wait_for(asked(process, ENDLESS, cpu_s), DEADLINE_S)
    assert isinstance(answer, Refused)
    assert answer.reason == "it used more than 0.3 s of the CPU, and was ended"
    assert time.monotonic() - begun_s > cpu_s * WALL_FACTOR


@linux
async def test_what_is_ready_and_does_not_run_is_starved() -> None:
    with crowd(2) as (_, pids):
        await until_true(lambda: min(map(starved_s, pids)) > 0.1, "each has waited for the other")
        os.kill(pids[0], SIGSTOP)
        await until_true(lambda: state_of(pids[0]) == "T", "it is stopped")
        before_s = starved_s(pids[0])
        await asyncio.sleep(0.1)
        assert starved_s(pids[0]) == before_s, "it is not ready"
    assert starved_s(pids[0]) == 0, "it is gone"


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_one_that_does_nothing_has_no_more_time(process: EvaluatorProcess) -> None:
    os.kill(await started(process), SIGSTOP)
    begun_s = time.monotonic()
    answer = await asyncio.wait_for(asked(process, ".", 0.05), DEADLINE_S)
    assert isinstance(answer, Refused)
    assert answer.reason == "it took longer than 0.1 s, and was ended"
    assert time.monotonic() - begun_s >= 0.05 * WALL_FACTOR


async def test_there_is_an_end_to_patience(
    process: EvaluatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(await started(process), SIGSTOP)
    monkeypatch.setattr(evaluator_process, "starved_s", lambda pid: time.monotonic())
    begun_s = time.monotonic()
    answer = await asyncio.wait_for(asked(process, ".", 0.05), DEADLINE_S)
    assert isinstance(answer, Refused)
    assert "it took longer than" in answer.reason
    assert time.monotonic() - begun_s >= 0.05 * PATIENCE_FACTOR


async def test_an_answer_that_comes_with_the_end_of_its_time_is_taken(
    process: EvaluatorProcess,
) -> None:
    """And the next question is asked of a new process, not of the one that was killed."""
    first = await started(process)
    answer = asked(process, "[1] | length", 1.0)
    while process.busy and not _readable(process):
        time.sleep(0.001)
    process._overdue()
    assert isinstance(await asyncio.wait_for(answer, DEADLINE_S), Value)
    assert isinstance(await asyncio.wait_for(asked(process, ".", 1.0), DEADLINE_S), Value)
    assert process.pid != first


def _readable(process: EvaluatorProcess) -> bool:
    assert process._connection is not None
    return bool(select.select([process._connection], [], [], 0)[0])
