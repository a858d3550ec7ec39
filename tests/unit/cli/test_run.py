"""`perdure run`: what it takes, what it prints where, and how it exits."""

import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from perdure.cli import main
from perdure.cli.progress import Progress
from perdure.model.exceptions import PerdureError
from perdure.model.execution import CurrentTask, Execution, Head, LogRecord, Waiting
from perdure.model.failure import runtime
from perdure.model.status import Status
from perdure.ports.runtime import Problem, RefusedError

AT = 1_771_864_200_123


def an_execution(status: Status = Status.COMPLETED, **more: Any) -> Execution:
    head = Head(
        execution_id="exec-1",
        workflow_id="weather",
        workflow_version="1",
        status=status,
        created_at=AT,
        started_at=AT,
        completed_at=AT + 1500 if status.ended else None,
    )
    return Execution(head=head, inputs=msgspec.Raw(b"{}"), **more)


def running(*names: str, attempt: int = 1) -> Execution:
    tasks = tuple(
        CurrentTask(position=f"/{name}", name=name, attempt=attempt, started_at=AT)
        for name in names
    )
    return an_execution(Status.RUNNING, current_tasks=tasks)


def a_line(message: str, task: str | None = None) -> LogRecord:
    return LogRecord(seq=1, timestamp=AT, level="WARNING", task=task, message=message)


class FakeForeground:
    """Stands in for `perdure.bootstrap.foreground`."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str | None, Any]] = []
        self.ends = an_execution(result=msgspec.Raw(b'{"rain":3}'))
        self.fault: BaseException | None = None

    def run_foreground(
        self,
        path: str,
        workflow_id: str | None,
        inputs: bytes,
        observer: Progress,
        egress_allow: tuple[str, ...],
    ) -> Execution:
        self.egress_allow = egress_allow
        self.called.append((path, workflow_id, json.loads(inputs)))
        if self.fault is not None:
            raise self.fault
        observer.tasks(running("observe"))
        observer.log(a_line("it rains", "observe"))
        return self.ends


@pytest.fixture
def foreground(monkeypatch: pytest.MonkeyPatch) -> FakeForeground:
    fake = FakeForeground()
    module = ModuleType("perdure.bootstrap.foreground")
    module.run_foreground = fake.run_foreground  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "perdure.bootstrap.foreground", module)
    return fake


def call(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["run", *arguments], input=stdin)


def test_the_result_goes_to_stdout_and_the_rest_to_stderr(foreground: FakeForeground) -> None:
    result = call("flow.py")
    assert (result.exit_code, result.stdout) == (0, '{"rain":3}\n')
    lines = result.stderr.splitlines()
    assert lines[0] == "running: observe"
    assert lines[1].endswith("WARNING [observe] it rains")
    assert lines[2] == "exec-1 completed after 1.500 s"
    assert foreground.called == [("flow.py", None, {})]


def test_calls_go_where_the_setting_lets_them(
    foreground: FakeForeground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERDURE_EGRESS_ALLOW", "localhost:8080")
    assert call("flow.py").exit_code == 0
    assert foreground.egress_allow == ("localhost:8080",)
    monkeypatch.setenv("PERDURE_EGRESS_ALLOW", "http://localhost")
    result = call("flow.py")
    assert result.exit_code == 2
    assert "PERDURE_EGRESS_ALLOW" in result.stderr


def test_inputs_are_json_where_they_can_be(foreground: FakeForeground) -> None:
    given = ["city=Oslo", "n=3", "on=true", "l=[1]", "none=null", "eq=a=b", "nan=NaN", "empty="]
    result = call("flow.py", "weather", *[part for each in given for part in ("--input", each)])
    assert result.exit_code == 0
    assert foreground.called == [
        (
            "flow.py",
            "weather",
            {
                "city": "Oslo",
                "n": 3,
                "on": True,
                "l": [1],
                "none": None,
                "eq": "a=b",
                "nan": "NaN",
                "empty": "",
            },
        )
    ]


def test_inputs_of_a_file_give_way_to_single_ones(
    foreground: FakeForeground, tmp_path: Path
) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"a": 1, "b": 2}')
    call("flow.py", "--inputs", str(file), "--input", "b=3")
    call("flow.py", "--inputs", "-", stdin='{"c": 4}')
    assert [inputs for *_, inputs in foreground.called] == [{"a": 1, "b": 3}, {"c": 4}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "city"], "--input 'city': a name and a value are expected"),
        (["--input", "=x"], "--input '=x': a name and a value are expected"),
        (["--inputs", "nowhere.json"], "--inputs nowhere.json: cannot be read: No such file"),
        (["--inputs", "-"], "--inputs -: is not JSON: JSON is malformed"),
    ],
)
def test_wrong_inputs_are_told(foreground: FakeForeground, arguments: list[str], said: str) -> None:
    result = call("flow.py", *arguments, stdin="{nope")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"perdure: {said}")
    assert result.stderr.count("\n") == 1
    assert foreground.called == []


@pytest.mark.parametrize("stdin", ["[1]", "7", "null"])
def test_inputs_are_an_object(foreground: FakeForeground, stdin: str) -> None:
    result = call("flow.py", "--inputs", "-", stdin=stdin)
    assert result.exit_code == 2
    assert "a JSON object is expected" in result.stderr


@pytest.mark.parametrize(
    ("status", "code"), [(Status.FAILED, 1), (Status.CANCELLED, 3), (Status.PAUSED, 1)]
)
def test_other_ends_have_codes_of_their_own(
    foreground: FakeForeground, status: Status, code: int
) -> None:
    foreground.ends = an_execution(status, error=runtime("no\x1b[31m rain").at("/observe"))
    result = call("flow.py")
    assert (result.exit_code, result.stdout) == (code, "")
    assert f"exec-1 {status}" in result.stderr
    assert "at /observe: Runtime error: no\\x1b[31m rain" in result.stderr


def test_no_result_is_null(foreground: FakeForeground) -> None:
    foreground.ends = an_execution()
    assert call("flow.py").stdout == "null\n"


def test_a_refusal_is_told_problem_by_problem(foreground: FakeForeground) -> None:
    foreground.fault = RefusedError(
        "invalid_inputs", "the inputs do not fit", problems=[Problem("/inputs/n", "is missing")]
    )
    result = call("flow.py")
    assert result.exit_code == 2
    assert result.stderr == "perdure: the inputs do not fit\n  /inputs/n: is missing\n"


def test_what_cannot_be_run_is_one_line(foreground: FakeForeground) -> None:
    foreground.fault = PerdureError("flow.py has no workflow")
    assert call("flow.py").stderr == "perdure: flow.py has no workflow\n"


# -- progress --------------------------------------------------------------------------------


def shown(*steps: Execution | LogRecord, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    progress = Progress(console)
    with progress.showing():
        for step in steps:
            if isinstance(step, LogRecord):
                progress.log(step)
            else:
                progress.tasks(step)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_runs_is_told_when_it_changes() -> None:
    steps = [running("a"), running("a"), running("a", "b"), running("a", "b", attempt=2)]
    assert shown(*steps).splitlines() == [
        "running: a",
        "running: a, b",
        "running: a (attempt 2), b (attempt 2)",
    ]


def test_waiting_is_shown_at_a_terminal() -> None:
    waiting = an_execution(
        Status.RUNNING,
        waiting_for=(Waiting(kind="event", position="/e", since=AT, name="paid"),),
    )
    assert "waiting for paid" in shown(waiting, terminal=True)
    assert shown(waiting) == ""


def test_the_log_stays_above_the_moving_line() -> None:
    text = shown(running("observe"), a_line("it rains"), terminal=True)
    assert "it rains" in text
    assert "observe" in text
    assert "\x1b[" in text


def test_a_message_cannot_move_the_terminal() -> None:
    text = shown(a_line("first\n[bold]second\x1b[2J\r\x9b", "\x07"))
    assert text.splitlines()[0].endswith("[\\x07] first")
    assert text.splitlines()[1] == "    [bold]second\\x1b[2J\\x0d\\x9b"
