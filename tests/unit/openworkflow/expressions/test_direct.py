"""Simple expressions without jq: they agree with jq, or say that they do not know."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import direct, programs
from perdure.openworkflow.expressions.parsing import parse
from tests.unit.openworkflow.expressions.sources import simple, values


def with_jq(source: str, value: Any, arguments: dict[str, Any]) -> Any:
    """What jq makes of it. Raises ProgramError."""
    names = sorted(arguments)
    program = programs.text(source, names, frozenset())
    given = [value, *(arguments[name] for name in names)]
    return programs.run(program, msgspec.json.encode(given))


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same: 1 is not 1.0, and true not 1.

    But jq writes large doubles without the exponent that they came with, as integers.
    """
    if type(left) is not type(right):
        return {type(left), type(right)} == {int, float} and left == right and abs(left) > 1e15
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow])
@given(simple, values, values, values)
@example(".a + .b", {"a": 0.1, "b": 0.2}, None, None)
@example(". * 1", 1e17, None, None)
@example("$x % $y", None, -7, 3)
@example("$x == $y", None, True, 1)
@example("$x < $y", None, "é", "z")
@example("$x.a", None, [1], None)
@example(".", 9007199254740993, None, None)
@example("-.", 0, None, None)
@example("length", "a\u0301😀", None, None)
def test_what_is_known_without_jq_is_what_jq_says(source: str, value: Any, x: Any, y: Any) -> None:
    try:
        function = direct.compile(parse(source)[1])
    except ExpressionError:
        return
    if function is None:
        return
    arguments = {"x": x, "y": y}
    try:
        found = function(value, arguments)
    except direct.UnsureError:
        return
    assert same(found, with_jq(source, value, arguments))


VALUE = {"a": 2, "b": {"c": "x"}, "d": [1]}
COMMON = """
. .a .b.c .d[0] $x.y 1 "a" .a==1 .a+1 {a:.a,b:"x"} [.a,.b] "\\(.a):\\($x.y)" .d[$x.z] .e//0
.a>1and(.e|not) .b.c+"y" .a*2.5 .d|length if(.a>1)then(.b)else(null)end {a}+.b
"""


@pytest.mark.parametrize("source", COMMON.split())
def test_what_is_common_is_known_without_jq(source: str) -> None:
    function = direct.compile(parse(source)[1])
    assert function is not None
    arguments = {"x": {"y": "w", "z": 0}}
    assert same(function(VALUE, arguments), with_jq(source, VALUE, arguments))


@pytest.mark.parametrize("source", [".[]", "1, 2", "map(.a)", "empty", "now", "$ENV.a", ".a[1:]"])
def test_what_gives_several_outputs_or_reads_more_is_for_jq(source: str) -> None:
    assert direct.compile(parse(source)[1]) is None
