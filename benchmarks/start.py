"""How soon after its start a server answers: its API, and the first execution."""

from collections.abc import Sequence

from benchmarks.report import Measured, Row, Target
from benchmarks.running import load
from benchmarks.server import Server
from benchmarks.setting import Setting

TARGET_S = 1.5


def start(setting: Setting) -> Sequence[Row]:
    """Measure starts in empty folders; a list of executions is asked for until it comes."""
    repeats = 3 if setting.quick else 7
    answers_s: list[float] = []
    results_s: list[float] = []
    for repeat in range(repeats):
        setting.progress.say(f"start in an empty folder, {repeat + 1} of {repeats}")
        with setting.server() as server:
            answers_s.append(server.first_answer_s("/api/executions"))
            results_s.append(first_result_s(server))
    return [
        Row(
            what="start to first answer, empty folder",
            unit="s",
            measured=Measured.of(answers_s),
            target=Target("<", TARGET_S),
            notes=[f"first execution's result after {Measured.of(results_s).median:.2f} s"],
        )
    ]


def first_result_s(server: Server) -> float:
    """Run an execution: the seconds from the server's start to its result."""
    server.wait_until_ready()
    load(server.start("three-tasks", wait=True), connections=1, requests=1)
    return server.age_s
