"""Many clients: executions of three tasks that do nothing, from the POST to the result."""

from collections.abc import Sequence

from benchmarks.bare_commit import (
    bare_group_commit,
    fsync_ms,
    groups_of_executions,
    groups_of_steps,
)
from benchmarks.bare_post import bare_server
from benchmarks.recorded import Step, steps_of
from benchmarks.report import Limit, Measured, Row, Target
from benchmarks.running import load
from benchmarks.server import Server, start_request
from benchmarks.setting import Setting

CONNECTIONS = 50
SHARE = 0.4
"""Of the bare group commit: the target."""


def throughput(setting: Setting) -> Sequence[Row]:
    """Measure perdure, the bare group commit and the bare POST in turns, so that noise hits all."""
    repeats, executions = (3, 3_000) if setting.quick else (5, 6_000)
    measured: list[float] = []
    whole: list[float] = []
    stepwise: list[float] = []
    posts: list[float] = []
    fsyncs_ms: list[float] = []
    with setting.server() as server, bare_server() as bare_url:
        server.wait_until_ready()
        target = server.start("three-tasks", wait=True)
        bare = start_request(bare_url, "three-tasks", None, wait=True)
        load(target, connections=CONNECTIONS, requests=executions // 2)
        load(bare, connections=CONNECTIONS, requests=executions // 2)
        steps = an_execution(server)
        groups = groups_of_executions(executions, together=CONNECTIONS, steps=len(steps))
        stepwise_groups = groups_of_steps(executions, clients=CONNECTIONS, steps=len(steps))
        for repeat in range(repeats):
            setting.progress.say(f"executions a second, {repeat + 1} of {repeats}")
            report = load(target, connections=CONNECTIONS, requests=executions)
            measured.append(report.per_second)
            fsyncs_ms.append(fsync_ms(setting.folder))
            whole.append(bare_group_commit(steps, groups, setting.folder))
            stepwise.append(bare_group_commit(steps, stepwise_groups, setting.folder))
            posts.append(load(bare, connections=CONNECTIONS, requests=executions).per_second)
    limit = Measured.of(stepwise).median
    return [
        Row(
            what=f"three no-op tasks, {CONNECTIONS} connections",
            unit="executions/s",
            measured=Measured.of(measured),
            target=Target(">=", SHARE * limit, f"{SHARE:.0%} of the bare group commit"),
            limits=[
                Limit(f"bare group commit, a step of {CONNECTIONS} executions a group", limit),
                Limit(
                    f"bare group commit, all of {CONNECTIONS} executions a group",
                    Measured.of(whole).median,
                ),
                Limit("bare POST, the same server without an engine", Measured.of(posts).median),
            ],
            notes=[f"an fsync took {Measured.of(fsyncs_ms).median:.2f} ms meanwhile"],
        )
    ]


def an_execution(server: Server) -> Sequence[Step]:
    """The steps of an execution of three tasks, the newest that the server has run."""
    newest = server.get("/api/executions?limit=1")["executions"][0]
    return steps_of(server.folder, newest["execution_id"])
