"""Compiled expressions: their arguments, limits and errors."""

import json
import time
from typing import Any

import jq
import msgspec
import pytest

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model import failure as failures
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.openworkflow.errors import ExpressionError, WorkflowError
from perdure.openworkflow.expressions import compile, outside, sites
from perdure.openworkflow.expressions.functions import FUNCTIONS, MATHEMATICAL, REFUSED
from tests.unit.machine.harness import START_MS, Played, raw

SECRETS = {"secrets": {"key": "s3cret"}}


def value_of(source: str, value: Any = None, **arguments: Any) -> Any:
    """What an expression gives."""
    return compile(source, arguments).evaluate_here(value, arguments)


def test_arguments_come_with_each_evaluation() -> None:
    expression = compile(".a + $context.b", {"context", "input"})
    assert expression.variables == {"context"}
    assert expression.evaluate_here({"a": 1}, {"context": {"b": 2}}) == 3
    assert expression.evaluate_here({"a": 1}, {"context": {"b": 3}}) == 4


def test_variables_that_an_expression_binds_itself_are_no_arguments() -> None:
    source = ". as [$a, {b: $c}] | reduce .[] as $d (0; $d) | def f($e; g): $e + g; $a + $c + $x"
    assert compile(source, {"x"}).variables == {"x"}


def test_values_are_shared_and_not_changed() -> None:
    value = {"a": [1]}
    assert value_of(".a", value) is value["a"]
    assert value_of(".a += [2] | .a", value) == [1, 2]
    assert value == {"a": [1]}


def test_integers_are_exact_where_jq_keeps_them() -> None:
    large = 2**63 - 1
    assert value_of("[.][0]", large) == large
    assert value_of("{a: .} | .a", large) == large
    assert value_of(". + 0", large) == pytest.approx(large, rel=1e-15)
    assert value_of(". + 0", large) != large


def test_what_is_no_number_is_null_and_what_is_infinite_the_largest_double() -> None:
    assert value_of("[nan, infinite, -infinite]") == [
        None,
        1.7976931348623157e308,
        -1.7976931348623157e308,
    ]


@pytest.mark.parametrize("source", ["$contxt", "$contxt.a", "[.[] | $contxt]"])
def test_an_argument_that_is_not_there_is_named_with_the_nearest(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"no \$contxt: did you mean \$context\?"):
        compile(source, {"context"})


def test_an_argument_of_another_site_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ExpressionError, match=r"no \$output here, but \$context, \$input"):
        compile("$output", sites.TASK_DEFINITION)


def test_secrets_are_had_only_by_what_is_sent() -> None:
    with pytest.raises(ExpressionError, match="only in what a call sends"):
        compile("$secrets.key", sites.TASK_DEFINITION)
    assert compile("$secrets.key", sites.TASK_SENT).bounded


@pytest.mark.parametrize("source", ["$secrets.key | error", "$secrets.key.a", "[$secrets[].a]"])
def test_no_error_shows_a_secret(source: str) -> None:
    with pytest.raises(WorkflowError) as raised:
        compile(source, sites.TASK_SENT).evaluate_here(None, SECRETS)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1, 2", "more than one value: wrap it in"),
        ("empty", "no value"),
        (".a", "Cannot index number with"),
        ('error("why")', "why"),
        ("1, error(2)", "2"),
        ("1e1000", "no JSON"),
    ],
)
def test_a_failure_is_one_of_the_specification_and_says_why(source: str, reason: str) -> None:
    with pytest.raises(WorkflowError) as raised:
        value_of(source, 1)
    failure = raised.value.failure
    assert failure.type == failures.STANDARD + "expression"
    assert failure.status == 400
    assert source in failure.detail
    assert reason in failure.detail


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_reaches_out_is_refused_with_a_reason(name: str) -> None:
    for source in (name, f"{name}(1)", f"[.[] | {name}]"):
        with pytest.raises(ExpressionError, match=f"`{name}` cannot be used: "):
            compile(source, ())


def test_there_is_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_TEST", "seen")
    assert value_of("[env, $ENV, $ENV.PERDURE_TEST]") == [{}, {}, None]


def test_local_time_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        arguments = outside.encode_arguments((), b"[0]")
        source = '[localtime == gmtime, strflocaltime("%H"), (localtime | mktime)]'
        assert outside.evaluate(source, arguments) == '[true,"00",0]'
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "source", ["1 # ) | error", "1 # \\", "(1 # )\n)", '"#)" | length | . - 1', "1 # a \\\n b\n"]
)
def test_a_comment_hides_nothing_of_what_is_around(source: str) -> None:
    assert value_of(source) == 1


def test_names_near_what_was_meant_are_offered() -> None:
    with pytest.raises(ExpressionError, match="no function `lenght`: did you mean `length`"):
        compile("lenght", ())
    with pytest.raises(ExpressionError, match="`map` takes 1 arguments, not 2"):
        compile("map(.a; .b)", ())


def test_the_functions_are_those_of_jq() -> None:
    of_jq = set(jq.compile("builtins").input_text("null").first())
    assert of_jq - FUNCTIONS <= MATHEMATICAL | of_jq - FUNCTIONS
    assert of_jq - MATHEMATICAL == FUNCTIONS - MATHEMATICAL


# -- in a machine ----------------------------------------------------------------------------------


def played(source: str, value: Any) -> Played:
    """A program that returns what an expression gives."""

    async def program() -> Any:
        expression = compile(source, ())
        try:
            return [await expression.evaluate(value, {}), await expression.evaluate(value, {})]
        except WorkflowError as error:
            return error.failure.detail

    return Played(program)


def result_of(played: Played) -> Any:
    """What the program has returned."""
    (end,) = played.asked
    assert isinstance(end, c.CompleteExecution)
    return json.loads(bytes(end.result))


def test_what_is_bounded_asks_for_no_command() -> None:
    assert result_of(played("map(. + 1)", [1])) == [[2], [2]]


def test_now_is_the_time_of_the_last_event() -> None:
    assert result_of(played("now", None)) == [START_MS // 1000, START_MS // 1000]


def test_what_is_not_bounded_is_recorded_and_replayed() -> None:
    course = played("[range(.)] | add", 4)
    for position in ("/~evaluate", "/~evaluate@1"):
        (asked,) = course.asked
        assert isinstance(asked, c.Evaluate)
        assert asked.position == position
        output = outside.evaluate(asked.expression, bytes(asked.arguments))
        assert output == "6"
        course.deliver(e.Evaluated(time=START_MS, position=position, output=raw(6)))
    assert result_of(course) == [6, 6]


def test_what_is_too_large_or_repeats_texts_is_evaluated_outside() -> None:
    for source, value in [("map(. + 1)", [1] * 40_000), ("[.a * .b]", {"a": "x", "b": 3})]:
        (asked,) = played(source, value).asked
        assert isinstance(asked, c.Evaluate)
        assert msgspec.json.decode(outside.evaluate(asked.expression, bytes(asked.arguments)))


def test_a_simple_path_is_followed_in_what_is_large() -> None:
    assert result_of(played(".a | length", {"a": "x" * 200_000})) == [200_000, 200_000]


def test_a_failed_evaluation_is_a_failure_of_the_expression() -> None:
    course = played("[range(.)]", 4)
    failure = failures.expression("it took too long")
    course.deliver(e.EvaluationFailed(time=START_MS, position="/~evaluate", failure=failure))
    assert result_of(course) == "it took too long"


def test_arguments_beyond_the_limit_of_values_are_refused() -> None:
    assert "2,097,152" in result_of(played("map(.)", ["x" * VALUE_LIMIT_BYTES]))
