"""Only what an expression reads is handed to jq, which makes no difference."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import parts, programs
from perdure.openworkflow.expressions.parsing import parse
from tests.unit.openworkflow.expressions.sources import phrases, simple, values
from tests.unit.openworkflow.expressions.test_direct import same, with_jq

objects = st.dictionaries(st.sampled_from(["a", "b", "c"]), values)

READ = {
    ".": None,
    ".a.b": {"a": {"b": None}},
    ".a, .a.b": {"a": None},
    ".a[0].b": {"a": None},
    ".items[] | select(.id == 1)": {"items": None},
    "{x: .a, y: (.b.c | length)}": {"a": None, "b": {"c": None}},
    "map(.a)": None,
    ".a as $x | .b | $x": {"a": None, "b": None},
    "if .a then .b end": None,
    "if .a then .b else .c end": {"a": None, "b": None, "c": None},
    "try .a catch .": {"a": None},
    "1": {},
}


@pytest.mark.parametrize(("source", "read"), READ.items(), ids=list(READ))
def test_what_is_read_of_the_value(source: str, read: parts.Parts) -> None:
    assert parts.of_value(parse(source)[1]) == read


def test_what_is_read_of_arguments() -> None:
    node = parse("$x.a.b + $x.a.c[0] | map($y) | $z.d?")[1]
    assert parts.of_arguments(node) == {
        "x": {"a": {"b": None, "c": None}},
        "y": None,
        "z": {"d": None},
    }


@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(simple | phrases, objects | values, objects | values)
def test_what_is_not_read_makes_no_difference(source: str, value: Any, x: Any) -> None:
    try:
        node = parse(source)[1]
    except ExpressionError:
        return
    read = parts.of_arguments(node)
    outcomes = []
    for given_value, given_x in [
        (value, x),
        (parts.taken(value, parts.of_value(node)), parts.taken(x, read.get("x"))),
    ]:
        try:
            outcomes.append(with_jq(source, given_value, {"x": given_x, "y": None}))
        except programs.ProgramError as error:
            outcomes.append(["failed", str(error)])
    assert same(*outcomes)
