"""What goes on without end gives way to others on the way, and meets a limit."""

from typing import Any

import pytest

from perdure.openworkflow import running
from tests.support.documents import DocumentRun

BAD: dict[str, Any] = {"raise": {"error": {"type": "https://x.test/bad", "status": 400}}}


def test_retries_that_fail_before_they_begin_give_way_and_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "VISIT_LIMIT", 5_000)
    retry = {"limit": {"attempt": {"duration": "${ .missing }"}}}

    run = DocumentRun({"do": [{"t": {"try": [{"a": BAD}], "catch": {"retry": retry}}}]}).run()

    assert run.error.title == "Too many tasks"
    assert len(run.record) > 5


def test_branches_that_branch_again_and_again_meet_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perdure.openworkflow.tasks.fork.BRANCH_LIMIT", 2_000)
    functions: dict[str, Any] = {"f30": {"set": {"n": 1}}}
    for level in range(30):
        call = {"call": f"f{level + 1}"}
        functions[f"f{level}"] = {"fork": {"branches": [{"a": call}, {"b": call}]}}

    run = DocumentRun({"use": {"functions": functions}, "do": [{"a": {"call": "f0"}}]}).run()

    assert run.error.title == "Too many branches"
    assert "more than 2,000" in run.error.detail


def test_branches_that_are_done_do_not_count() -> None:
    fork = {"fork": {"branches": [{f"b{n}": {"set": {"n": n}}} for n in range(1_000)]}}
    loop = {"for": {"in": "[range(12)]"}, "do": [{"fork": fork}]}

    assert len(DocumentRun({"do": [{"loop": loop}]}).run().output) == 1_000


def test_a_value_that_is_nested_too_deeply_fails_saying_so() -> None:
    loop = {"for": {"in": "[range(3000)]"}, "do": [{"deeper": {"set": {"v": "${ . }"}}}]}

    assert "nested too deeply" in DocumentRun({"do": [{"loop": loop}]}).run().error.detail
