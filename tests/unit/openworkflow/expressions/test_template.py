"""Trees with expressions in their strings."""

from typing import Any

import pytest

from perdure.machine import commands as c
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.openworkflow.errors import ExpressionError, WorkflowError
from perdure.openworkflow.expressions import (
    always_expression,
    is_expression,
    template,
    truthy,
)
from tests.unit.machine.harness import Played
from tests.unit.openworkflow.expressions.test_expression import result_of


def test_a_tree_is_evaluated_where_it_has_expressions() -> None:
    compiled = template({"a": "${ .x }", "b": ["k", {"c": "${$context}"}]}, {"context"})
    assert compiled.evaluate_here({"x": 1}, {"context": 2}) == {"a": 1, "b": ["k", {"c": 2}]}
    assert compiled.variables == {"context"}
    assert not compiled.constant
    assert compiled.bounded


def test_a_tree_without_expressions_is_constant() -> None:
    compiled = template({"a": [1, "x", None, "a ${ .b }"]}, ())
    assert compiled.constant
    assert compiled.evaluate_here(None, {}) == {"a": [1, "x", None, "a ${ .b }"]}


def test_keys_are_no_expressions() -> None:
    assert template({"${ .a }": 1}, ()).constant


def test_what_expressions_give_is_not_evaluated_again() -> None:
    assert template("${ .a }", ()).evaluate_here({"a": "${ .b }", "b": 1}, {}) == "${ .b }"


def test_in_strict_mode_an_expression_has_to_compile_and_to_succeed() -> None:
    with pytest.raises(ExpressionError):
        template({"a": "${ .x + }"}, ())
    with pytest.raises(WorkflowError):
        template({"a": "${ .x }"}, ()).evaluate_here(1, {})


LOOSE: dict[str, Any] = {
    ".x": 1,
    "${ .x }": 1,
    "hello": "hello",
    "two words": "two words",
    ".x.y": ".x.y",
    "$secrets.key": "$secrets.key",
    "halt": "halt",
    "1, 2": "1, 2",
    "empty": "empty",
    "42": 42,
    '"text"': "text",
    "": "",
}


@pytest.mark.parametrize(("text", "value"), LOOSE.items(), ids=list(LOOSE))
def test_in_loose_mode_what_fails_is_the_text_itself(text: str, value: Any) -> None:
    assert template([text], (), mode="loose").evaluate_here({"x": 1}, {}) == [value]


def test_in_a_machine_each_expression_is_evaluated_where_it_may_be() -> None:
    async def program() -> Any:
        return await template({"a": "${ .x }", "b": ["${ .x + 1 }"]}, ()).evaluate({"x": 1}, {})

    assert result_of(Played(program)) == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("${ .a }", True), (" ${ .a\n } ", True), ("${}", False), ("a ${ .b }", False), (".a", False)],
)
def test_a_string_is_an_expression_as_a_whole(text: str, is_one: bool) -> None:
    assert is_expression(text) is is_one


def test_fields_that_are_always_expressions_take_both_forms() -> None:
    assert always_expression("${ .a }").strip() == always_expression(".a") == ".a"


def test_all_but_false_and_null_is_true() -> None:
    assert not any(map(truthy, (None, False)))
    assert all(map(truthy, (0, "", True, list[int](), dict[str, int]())))


@pytest.mark.parametrize(
    "tree", [{"a": "${ . }", "b": "${ . }"}, "${ [., .] }", "${ {a: ., b: .} }"], ids=str
)
def test_what_contains_a_value_twice_again_and_again_ends_at_the_limit(tree: Any) -> None:
    async def program() -> Any:
        compiled = template(tree, ())
        value: Any = [1]
        for _ in range(100):
            value = await compiled.evaluate(value, {})

    played = Played(program)
    (asked,) = played.asked
    if isinstance(asked, c.Evaluate):
        assert len(bytes(asked.arguments)) <= VALUE_LIMIT_BYTES + 100
    else:
        assert isinstance(asked, c.FailExecution)
        assert "bytes" in asked.failure.detail
