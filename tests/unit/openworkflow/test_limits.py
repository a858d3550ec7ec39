"""The limits of a running document: depth, visits, and what it may record."""

from itertools import pairwise
from typing import Any

import pytest

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.openworkflow import program, running
from tests.support.documents import DocumentRun

BAD: dict[str, Any] = {"raise": {"error": {"type": "https://x.test/bad", "status": 400}}}


def nested(levels: int, innermost: dict[str, Any]) -> dict[str, Any]:
    task = innermost
    for level in range(levels):
        kind = level % 4
        if kind == 0:
            task = {"do": [{"a": task}]}
        elif kind == 1:
            task = {"for": {"in": "[1]"}, "do": [{"a": task}]}
        elif kind == 2:
            task = {"try": [{"a": task}], "catch": {"errors": {"with": {"status": 999}}}}
        else:
            task = {"fork": {"branches": [{"a": task}]}, "output": {"as": ".[0]"}}
    return {"do": [{"top": task}]}


@pytest.mark.parametrize("crashes", [False, True])
def test_a_hundred_levels_run(crashes: bool) -> None:
    document = nested(100, {"do": [{"pause": {"wait": "PT1S"}}, {"value": {"set": {"n": 1}}}]})

    assert DocumentRun(document, crashes=crashes).run().output == {"n": 1}


def test_an_error_leaves_a_hundred_levels() -> None:
    run = DocumentRun(nested(100, BAD)).run()

    assert run.error.type == "https://x.test/bad"


def test_a_hundred_levels_of_the_deepest_kind_run() -> None:
    task: dict[str, Any] = {"wait": "PT1S"}
    for _ in range(100):
        task = {
            "try": [{"a": task}],
            "catch": {"retry": {"limit": {"attempt": {"count": 1, "duration": "PT1H"}}}},
            "timeout": {"after": "PT1H"},
        }
    extensions = [{"all": {"extend": "all", "before": [{"b": {"set": {"x": 1}}}]}}]

    run = DocumentRun({"use": {"extensions": extensions}, "do": [{"top": task}]}).run()

    assert run.output == {}


def test_too_deep_a_document_fails_saying_so() -> None:
    task = BAD
    for _ in range(151):
        task = {"do": [{"a": task}]}

    run = DocumentRun({"do": [{"top": task}]}).run()

    assert "deeper than 150" in run.error.detail


def test_functions_that_call_one_another_without_end_are_stopped() -> None:
    functions = {
        "ping": {"do": [{"a": {"call": "pong"}}]},
        "pong": {"do": [{"a": {"call": "ping"}}]},
    }
    run = DocumentRun({"use": {"functions": functions}, "do": [{"a": {"call": "ping"}}]}).run()

    assert (run.error.title, run.error.status) == ("Nested too deeply", 500)


ENDLESS = {
    "do": [
        {"tries": {"try": [{"a": {"set": {"n": 1}}}, {"b": BAD}], "catch": {"retry": {}}}},
    ]
}


def test_a_loop_without_end_is_stopped_and_cannot_catch_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "VISIT_LIMIT", 5_000)

    run = DocumentRun(ENDLESS).run()

    assert (run.error.title, run.error.status) == ("Too many tasks", 500)
    assert len(run.record) < 30


def test_an_execution_that_only_computes_can_be_cancelled() -> None:
    run = DocumentRun(ENDLESS)
    run.start()
    for _ in range(3):
        run.go_on()
    run.cancel()
    run.go_on()

    assert isinstance(run.end, c.CancelExecution)


def test_a_step_does_a_bounded_amount_of_work_in_all_branches_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began: list[running.Run] = []

    class Watched(running.Run):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            began.append(self)

    monkeypatch.setattr(program, "Run", Watched)
    loop = {"for": {"in": "[range(5000)]"}, "do": [{"a": {"set": {"n": "${ $item }"}}}]}
    branches = [{f"b{index}": loop} for index in range(20)]
    run = DocumentRun({"do": [{"all": {"fork": {"branches": branches}}}]})
    run.start()

    visited = [began[0].visits]
    for _ in range(50):
        run.go_on()
        visited.append(began[0].visits)

    steps = [after - before for before, after in pairwise([0, *visited])]
    assert max(steps) <= running.WORK_LIMIT
    assert min(steps[-10:]) > 0


LARGE = {"s": "x" * 1_000_000}
EXPRESSION = "https://open-workflow-specification.org/spec/1.0.0/errors/expression"


@pytest.mark.parametrize(
    "data",
    [
        {"s": "${ .s + .s + .s }"},
        {"a": "${ . }", "b": "${ . }", "c": "${ . }"},
        "${ {a: ., b: ., c: .} }",
        "${ [., ., .] }",
        '${ "\\(.s) \\(.s) \\(.s)" }',
        {f"n{n}": "${ .s }" for n in range(1_000)},
    ],
    ids=["text", "template", "object", "array", "interpolation", "many"],
)
def test_no_task_makes_a_value_over_the_limit(data: Any) -> None:
    run = DocumentRun({"do": [{"a": {"set": data}}]}, LARGE).run()

    assert (run.error.type, run.error.instance) == (EXPRESSION, "/do/0/a")
    assert "2,097,152" in run.error.detail


@pytest.mark.parametrize(
    "task",
    [
        {"input": {"from": "{a: ., b: ., c: .}"}, "set": {"n": 1}},
        {"set": {"n": 1}, "output": {"as": "[$input, $input, $input]"}},
        {"set": {"n": 1}, "export": {"as": "{a: $context, b: $input, c: $input}"}},
        {"fork": {"branches": [{f"b{n}": {"set": "${ .s }"}} for n in range(3)]}},
    ],
)
def test_no_transformation_makes_a_value_over_the_limit(task: Any) -> None:
    run = DocumentRun({"do": [{"a": task}]}, LARGE).run()

    assert (run.error.type, run.error.instance) == (EXPRESSION, "/do/0/a")


def test_values_that_hold_themselves_again_and_again_meet_the_limit() -> None:
    doubling = {
        "for": {"in": "[range(64)]"},
        "do": [{"a": {"set": {"l": "${ . }", "r": "${ . }"}}}],
    }

    assert DocumentRun({"do": [{"double": doubling}]}).run().error.type == EXPRESSION


def test_what_doubles_again_and_again_is_not_evaluated_in_the_worker() -> None:
    doubling = " | ".join(["{l: ., r: .}"] * 30)
    run = DocumentRun({"do": [{"a": {"set": f"${{ {doubling} }}"}}]})

    asked = run.machine.start(
        e.ExecutionStarted(time=0, seed=1, workflow_id="played", workflow_version="1")
    )

    assert [type(command) for command in asked] == [c.Evaluate]


@pytest.mark.parametrize(
    "task",
    [
        {"set": {"text": '${ .text + "%s" }' % ("x" * 1_000)}, "then": "grow"},
        {"set": {"n": 1}, "export": {"as": '${ $context + "%s" }' % ("x" * 1_000)}, "then": "grow"},
    ],
    ids=["data", "context"],
)
def test_what_grows_a_little_at_each_visit_is_stopped(task: dict[str, Any]) -> None:
    first = {"set": {"text": ""}, "export": {"as": '""'}}
    run = DocumentRun({"do": [{"begin": first}, {"grow": task}]}).run()

    assert run.error.status == 400
    assert "elsewhere" in run.error.detail
