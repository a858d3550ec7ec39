"""Documents: their executions beside those of Python, a long loop, and what validating takes."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from benchmarks.memory import memory_of
from benchmarks.report import Limit, Measured, Row, Target
from benchmarks.running import load
from benchmarks.setting import Setting
from perdure.openworkflow.validation import validate

CONNECTIONS = 50
SHARE = 0.6
"""Of the executions of the Python chain: the target."""
ITERATIONS = 10_000
LOOP_S = 3.0
LOOP_MB = 100.0
VALIDATING_MS = 20.0

_SERVED = Path(__file__).with_name("served")
_PYTHON = "three-tasks"
_DOCUMENTS: Mapping[str, str] = {
    "three-sets": "a document of three set tasks",
    "three-calls": "a document of three HTTP calls, stubbed in the worker",
}


def documents(setting: Setting) -> Sequence[Row]:
    """Measure all of it."""
    return [*_throughput(setting), *_loop(setting), *_validating(setting)]


def _throughput(setting: Setting) -> Sequence[Row]:
    """Documents and the Python chain in turns, so that noise hits all."""
    repeats, executions = (3, 2_000) if setting.quick else (5, 5_000)
    measured: dict[str, list[float]] = {name: [] for name in (_PYTHON, *_DOCUMENTS)}
    with setting.server(_SERVED) as server:
        server.wait_until_ready()
        targets = {name: server.start(name, wait=True) for name in measured}
        for target in targets.values():
            load(target, connections=CONNECTIONS, requests=executions // 2)
        for repeat in range(repeats):
            setting.progress.say(f"documents, {repeat + 1} of {repeats}")
            for name, target in targets.items():
                report = load(target, connections=CONNECTIONS, requests=executions)
                measured[name].append(report.per_second)
    limit = Measured.of(measured[_PYTHON]).median
    return [
        Row(
            what=f"{what}, {CONNECTIONS} connections",
            unit="executions/s",
            measured=Measured.of(measured[name]),
            target=Target(">=", SHARE * limit, f"{SHARE:.0%} of the Python chain"),
            limits=[Limit("three no-op tasks in Python, in the same run", limit)],
        )
        for name, what in _DOCUMENTS.items()
    ]


def _loop(setting: Setting) -> Sequence[Row]:
    repeats = 3 if setting.quick else 5
    with setting.server(_SERVED) as server:
        server.wait_until_ready()
        load(server.start("loop", {"numbers": [1]}, wait=True), connections=1, requests=20)
        before_mb = memory_of(server.pid).rss
        setting.progress.say(f"a loop of {ITERATIONS:,}")
        target = server.start("loop", {"numbers": list(range(ITERATIONS))}, wait=True)
        seconds = [load(target, connections=1, requests=1).median_ms / 1000 for _ in range(repeats)]
        grown_mb = memory_of(server.pid).rss - before_mb
        newest = server.get("/api/executions?limit=1")["executions"][0]
        whole = server.get(f"/api/executions/{newest['execution_id']}")
    assert whole["result"] == {"sum": sum(range(ITERATIONS))}, whole
    return [
        Row(
            what=f"a for of {ITERATIONS:,} iterations over one set",
            unit="s",
            measured=Measured.of(seconds),
            target=Target("<", LOOP_S),
        ),
        Row(
            what="what all processes grow by meanwhile",
            unit="MB",
            measured=Measured.of([grown_mb]),
            target=Target("<", LOOP_MB),
        ),
    ]


def _validating(setting: Setting) -> Sequence[Row]:
    """The largest example of the specification, where that is beside this checkout."""
    examples = [path.read_bytes() for path in _specification().glob("examples/*.yaml")]
    if not examples:
        return []
    setting.progress.say("validating")
    source = max(examples, key=len)
    milliseconds = [_ms(source) for _ in range(20)]
    return [
        Row(
            what=f"validating the largest example, {len(source):,} bytes",
            unit="ms",
            measured=Measured.of(milliseconds),
            target=Target("<", VALIDATING_MS),
            limits=[Limit("parsing its YAML alone", _parsing_ms(source))],
        )
    ]


def _specification() -> Path:
    beside = Path(__file__).parents[2] / "shared" / "openworkflow"
    return Path(os.environ.get("OPENWORKFLOW_SPECIFICATION", beside))


def _ms(source: bytes) -> float:
    began_s = time.perf_counter()
    report = validate(source)
    assert report.body is not None, report.findings
    return (time.perf_counter() - began_s) * 1000


def _parsing_ms(source: bytes) -> float:
    began_s = time.perf_counter()
    yaml.load(source, yaml.CSafeLoader)
    return (time.perf_counter() - began_s) * 1000
