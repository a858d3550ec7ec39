"""A hundred thousand executions that sleep: their memory, waking up together, and a restart."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks.load import Target as Request
from benchmarks.memory import Memory, memory_of
from benchmarks.report import Measured, Row, Target
from benchmarks.running import load
from benchmarks.server import Get, Server, ServerError
from benchmarks.setting import Setting
from benchmarks.start import TARGET_S as START_TARGET_S
from benchmarks.start import first_result_s

CONNECTIONS = 50
MEMORY_TARGET_MB = 300.0
LATE_TARGET_S = 2.0
_AHEAD_S = 30.0
"""How long before their moment those that wake together are started."""
_MEASURED_AHEAD_S = 3.0
_PATIENCE_S = 30.0
_PAGE = 200
_PORTION = 3_000


def sleepers(setting: Setting) -> Sequence[Row]:
    """Measure one folder through all of it."""
    executions, due, starts = (10_000, 1_000, 3) if setting.quick else (100_000, 1_000, 5)
    with setting.server() as server:
        server.wait_until_ready()
        created = _start(setting, server.start("sleep-for-a-day", wait=False), executions - due)
        waiting_id = server.get("/api/executions?limit=1")["executions"][0]["execution_id"]
        moment = datetime.now(UTC) + timedelta(seconds=_AHEAD_S)
        waking = server.start("sleep-until", {"due": moment.isoformat()}, wait=False)
        load(waking, connections=CONNECTIONS, requests=due)
        if datetime.now(UTC) > moment - timedelta(seconds=_AHEAD_S / 2):
            raise ServerError(f"starting {due:,} executions took too long: they may not sleep")
        setting.progress.say(f"{executions:,} executions sleep")
        _sleep_until(moment.timestamp() - _MEASURED_AHEAD_S)
        memory = memory_of(server.pid)
        _sleep_until(moment.timestamp())
        began = _moments(server, due)
        after = memory_of(server.pid)
    late_s = [moment_s - moment.timestamp() for moment_s in began]
    return [
        _memory_row(executions, created, memory, after),
        _late_row(due, late_s),
        _restart_row(setting, server, waiting_id, executions - due, starts),
    ]


def _start(setting: Setting, request: Request, executions: int) -> float:
    """Start executions; how many were started a second."""
    started_s = time.perf_counter()
    for first in range(0, executions, _PORTION):
        setting.progress.say(f"starting executions that sleep, {first:,} of {executions:,}")
        portion = min(_PORTION, executions - first)
        load(request, connections=CONNECTIONS, requests=portion)
    return executions / (time.perf_counter() - started_s)


def _sleep_until(moment_s: float) -> None:
    time.sleep(max(0.0, moment_s - time.time()))


def _moments(server: Server, count: int) -> Sequence[float]:
    """When the tasks of the newest `count` executions began: their results, once all are there."""
    moments: list[float] = []
    deadline_s = time.monotonic() + _PATIENCE_S
    with server.connection() as get:
        for execution_id in _newest(get, count):
            while (whole := get(f"/api/executions/{execution_id}?logs=0"))["result"] is None:
                if time.monotonic() > deadline_s:
                    raise ServerError(f"{execution_id} is still {whole['status']}")
                time.sleep(0.1)
            moments.append(whole["result"])
    return moments


def _newest(get: Get, count: int) -> Sequence[str]:
    ids: list[str] = []
    cursor = ""
    while len(ids) < count:
        query = {"limit": min(_PAGE, count - len(ids))} | ({"cursor": cursor} if cursor else {})
        page = get(f"/api/executions?{urlencode(query)}")
        ids += [each["execution_id"] for each in page["executions"]]
        cursor = page["next_cursor"]
    return ids


def _memory_row(executions: int, created: float, memory: Memory, after: Memory) -> Row:
    return Row(
        what=f"memory with {executions:,} sleeping executions",
        unit="MB",
        measured=Measured.of([memory.rss]),
        target=Target("<", MEMORY_TARGET_MB, "the sum of the processes' resident memory (RSS)"),
        notes=[
            *memory.notes(),
            f"{after.rss:.0f} MB after some of them were woken",
            f"they were started at {created:,.0f} a second over {CONNECTIONS} connections",
        ],
    )


def _late_row(due: int, late_s: Sequence[float]) -> Row:
    measured = Measured.of(late_s)
    return Row(
        what=f"{due:,} of them due together: the last task began",
        unit="s late",
        measured=Measured.of([measured.highest]),
        target=Target("<", LATE_TARGET_S),
        notes=[f"the first {measured.lowest:.2f} s late, half of them by {measured.median:.2f} s"],
    )


def _restart_row(
    setting: Setting, server: Server, waiting_id: str, waiting: int, starts: int
) -> Row:
    """Start servers in the same folder; the status of an execution that waits is asked for."""
    answers_s: list[float] = []
    results_s: list[float] = []
    for number in range(starts):
        setting.progress.say(f"start with {waiting:,} that wait, {number + 1} of {starts}")
        with Server(server.folder) as restarted:
            answers_s.append(restarted.first_answer_s(f"/api/executions/{waiting_id}"))
            results_s.append(first_result_s(restarted))
    return Row(
        what=f"start to first answer, {waiting:,} waiting",
        unit="s",
        measured=Measured.of(answers_s),
        target=Target("<", START_TARGET_S, "the status of an execution that waits"),
        notes=[f"first execution's result after {Measured.of(results_s).median:.2f} s"],
    )
