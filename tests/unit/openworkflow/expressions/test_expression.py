import pytest

from perdure.openworkflow.errors import ExpressionError, WorkflowError
from perdure.openworkflow.expressions import compile, is_expression, template


def test_arguments_come_with_each_evaluation() -> None:
    expression = compile(".a + $context.b", {"context", "input"})
    assert expression.variables == {"context"}
    assert expression.evaluate_here({"a": 1}, {"context": {"b": 2}}) == 3
    assert expression.evaluate_here({"a": 1}, {"context": {"b": 3}}) == 4


def test_an_argument_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(ExpressionError, match=r"no \$contxt: did you mean \$context\?"):
        compile("$contxt", {"context"})


@pytest.mark.parametrize(("source", "reason"), [("1, 2", "more than one"), ("empty", "no value")])
def test_an_expression_gives_one_value(source: str, reason: str) -> None:
    with pytest.raises(WorkflowError, match=reason):
        compile(source, ()).evaluate_here(None, {})


def test_a_tree_is_evaluated_where_it_has_expressions() -> None:
    tree = {"a": "${ .x }", "b": ["k", {"c": "${$context}"}]}
    compiled = template(tree, {"context"})
    assert compiled.evaluate_here({"x": 1}, {"context": 2}) == {"a": 1, "b": ["k", {"c": 2}]}


def test_a_string_is_an_expression_as_a_whole() -> None:
    assert is_expression(" ${ .a\n } ")
    assert not is_expression("a ${ .b }")
