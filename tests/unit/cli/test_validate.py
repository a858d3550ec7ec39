"""`perdure validate`: what it says where, and how it exits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from perdure.cli import main

HEADER = "document: {dsl: 1.0.3, namespace: test, name: sample, version: 1.0.0}\n"
VALID = HEADER + "do:\n- start:\n    set: {a: 1}\n"
UNSUPPORTED = HEADER + "do:\n- start:\n    run: {shell: {command: ls}}\n"
INVALID = HEADER + "do:\n- start:\n    sett: {a: 1}\n    then: 5\n- next:\n    wait: 1m\n"


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("valid", VALID), ("unsupported", UNSUPPORTED), ("invalid", INVALID)):
        Path(f"{name}.yaml").write_text(text)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments])


def test_of_a_valid_document_nothing_is_said_on_stdout() -> None:
    result = run("valid.yaml")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "valid.yaml: test.sample 1.0.0 is valid\n"


def test_what_cannot_be_executed_yet_is_told_and_is_valid() -> None:
    result = run("unsupported.yaml")
    assert result.exit_code == 0
    assert "cannot be executed yet: run shell at /do/0/start" in result.stderr


def test_every_problem_is_a_line_with_file_line_and_column() -> None:
    result = run("valid.yaml", "invalid.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [
        ["invalid.yaml:4:5:", "/do/0/start/sett:"],
        ["invalid.yaml:5:11:", "/do/0/start/then:"],
        ["invalid.yaml:7:11:", "/do/1/next/wait:"],
    ]
    assert lines[0].endswith("there is no task with sett (did you mean set?)")


def test_json_has_a_file_a_line() -> None:
    result = run("--json", "unsupported.yaml", "invalid.yaml")
    assert result.exit_code == 1
    valid, invalid = map(json.loads, result.stdout.splitlines())
    assert valid == {
        "file": "unsupported.yaml",
        "valid": True,
        "workflow_id": "test.sample",
        "version": "1.0.0",
        "unsupported": ["run shell at /do/0/start"],
        "problems": [],
    }
    assert invalid["valid"] is False
    assert invalid["problems"][0] == {
        "location": "/do/0/start/sett",
        "line": 4,
        "column": 5,
        "message": "there is no task with sett (did you mean set?)",
    }


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_no_traceback(name: str) -> None:
    result = run(name)
    assert result.exit_code == 2
    assert name in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_file_is_a_mistake() -> None:
    assert run().exit_code == 2


def test_more_than_a_document_may_have_is_not_read() -> None:
    Path("long.yaml").write_bytes(b"#" * 1_048_577)
    result = run("long.yaml")
    assert result.exit_code == 1
    assert "may have 1,048,576 at most" in result.stdout


def test_control_characters_of_a_document_do_not_reach_the_terminal() -> None:
    Path("evil.yaml").write_text(HEADER + 'do:\n- "\\e[2J": {sett: 1}\n')
    assert "\x1b" not in run("evil.yaml").stdout
