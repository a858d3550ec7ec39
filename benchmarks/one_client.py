"""One client, one execution at a time: from the POST to the result."""

from collections.abc import Sequence

from benchmarks.bare_commit import bare_group_commit, fsync_ms, groups_of_steps
from benchmarks.report import Limit, Measured, Row, Target
from benchmarks.running import load
from benchmarks.setting import Setting
from benchmarks.throughput import an_execution

TARGET_MS = 6.0
WARM_UP_EXECUTIONS = 200


def one_client(setting: Setting) -> Sequence[Row]:
    """Measure the median of some executions, several times."""
    repeats, executions = (3, 100) if setting.quick else (5, 400)
    medians_ms: list[float] = []
    bare_ms: list[float] = []
    p99_ms: list[float] = []
    fsyncs_ms: list[float] = []
    with setting.server() as server:
        server.wait_until_ready()
        target = server.start("three-tasks", wait=True)
        load(target, connections=1, requests=WARM_UP_EXECUTIONS)
        steps = an_execution(server)
        groups = groups_of_steps(executions, clients=1, steps=len(steps))
        for repeat in range(repeats):
            setting.progress.say(f"one client, {repeat + 1} of {repeats}")
            report = load(target, connections=1, requests=executions)
            medians_ms.append(report.median_ms)
            p99_ms.append(report.p99_ms)
            fsyncs_ms.append(fsync_ms(setting.folder))
            bare_ms.append(1000 / bare_group_commit(steps, groups, setting.folder))
    return [
        Row(
            what="one client, POST to result",
            unit="ms",
            measured=Measured.of(medians_ms),
            target=Target("<", TARGET_MS, "where an fsync takes 0.3 ms"),
            limits=[Limit("the same commits, bare", Measured.of(bare_ms).median)],
            notes=[
                f"99 % of them below {Measured.of(p99_ms).median:.1f} ms",
                f"an fsync took {Measured.of(fsyncs_ms).median:.2f} ms meanwhile",
            ],
        )
    ]
