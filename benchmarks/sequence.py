"""Forty tasks of 10 ms in sequence: what perdure adds between tasks."""

from collections.abc import Sequence

from benchmarks.report import Limit, Measured, Row, Target
from benchmarks.running import load
from benchmarks.setting import Setting

TASKS_S = 0.4
TARGET_S = 0.5
WARM_UP_EXECUTIONS = 5


def sequence(setting: Setting) -> Sequence[Row]:
    """Measure single executions."""
    repeats = 5 if setting.quick else 15
    with setting.server() as server:
        server.wait_until_ready()
        target = server.start("forty-tasks", wait=True)
        load(target, connections=1, requests=WARM_UP_EXECUTIONS)
        setting.progress.say("forty tasks in sequence")
        seconds = [load(target, connections=1, requests=1).median_ms / 1000 for _ in range(repeats)]
    return [
        Row(
            what="40 tasks of 10 ms in sequence",
            unit="s",
            measured=Measured.of(seconds),
            target=Target("<", TARGET_S),
            limits=[Limit("the tasks alone", TASKS_S)],
        )
    ]
