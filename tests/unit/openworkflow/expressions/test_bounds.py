"""What is evaluated in the worker's own process: pinned, and measured against hostile values."""

import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.expressions import compile
from perdure.openworkflow.expressions.bounds import (
    LARGEST_INPUT_BYTES,
    LONGEST_NS,
    WORK_NS,
    here,
)
from perdure.openworkflow.expressions.parsing import parse

PINNED = {
    ".": 65536,
    ".a.b[0].c": 65536,
    ".a[1:3]": 65536,
    ".items[$i]": 4096,
    "[.items[] | select(.id == $input.id)]": 16384,
    "map(.price * .quantity) | add": 16384,
    ".items | map({id, name: .name | ascii_downcase})": 4096,
    '"\\(.a) and \\($context | tojson)"': 32768,
    ". as {a: $x} | $x + 1": 65536,
    'try .a.b catch "none"': 65536,
    "sort_by(.x) | .[0]": 8192,
    "del(.a)": 65536,
    ".a |= . + 1": 65536,
    ".a += $input.b": 65536,
    "[limit(3; .[])]": 65536,
    "now | todate": 65536,
    '@base64 "\\(.u):\\(.p)"': 65536,
    "[.. | .id?]": 1024,
    ".a - .b": 2048,
}
"""Raising or lowering one of these changes what executions ask for that are under way: they are
held then (promise 4). Do so only with a way for these to go on."""

UNBOUNDED = [
    "def f: f; f",
    "[range(.n)]",
    "[range(1000000)]",
    "[limit(.n; repeat(1))]",
    "until(. > 3; . + 1)",
    "[recurse(.a)]",
    "while(true; .)",
    "reduce .[] as $x (0; [.])",
    "foreach .[] as $x (0; . + $x)",
    "label $f | break $f",
    'test("(a+)+$")',
    'gsub("a"; "b")',
    '"x" * 1000000000',
    "[paths]",
    "combinations",
    "walk(.)",
    "transpose",
    ".[.n] = 1",
    ".[1000000000] = 1",
    "setpath([.n]; 1)",
    "input_line_number?",
    "try (.a * .b) catch 1",
    "(.a * .b) // 1",
    "(.a * .b)?",
    ". as [$a] ?// $a | $a",
    "[.[] as $a | .[] as $b | .[] as $c | .[] as $d | 1]",
    'strftime("%99999999d")',
    "jn(1000000000; 1)",
]


@pytest.mark.parametrize(("source", "largest"), PINNED.items(), ids=list(PINNED))
def test_what_is_evaluated_here_is_pinned(source: str, largest: int) -> None:
    assert here(parse(source)[1]).largest_input == largest


@pytest.mark.parametrize("source", UNBOUNDED)
def test_what_is_not_known_to_end_is_not_evaluated_here(source: str) -> None:
    assert here(parse(source)[1]).largest_input == 0


def test_a_product_that_would_repeat_a_text_is_not_computed_here() -> None:
    product = compile("[.a * .b] | .[0]", ())
    assert product.bounded
    assert product.evaluate_here({"a": 2, "b": 3}, {}) == 6
    assert product.evaluate_here({"a": {"x": 1}, "b": {"y": 2}}, {}) == {"x": 1, "y": 2}
    with pytest.raises(WorkflowError, match="text is repeated"):
        product.evaluate_here({"a": "x", "b": 1_000_000_000}, {})
    with pytest.raises(WorkflowError, match="text is repeated"):
        compile(".a *= .b | .", ()).evaluate_here({"a": "x", "b": 1_000_000_000}, {})


def test_what_is_too_large_is_not_evaluated_here() -> None:
    with pytest.raises(WorkflowError, match="it cannot be evaluated here"):
        compile("map(.)", ()).evaluate_here(["x" * LARGEST_INPUT_BYTES], {})


HEAVY = """
map([.,.]) [.[]|tojson] sort unique group_by(.) sort_by(tojson) map({a:.,b:.}) [..] flatten add
to_entries with_entries(.) map_values(.) .[]|=. map("\\(.)\\(.)") map(@html) @sh? join(",")?
map(tostring)|join("") .-map(.) contains(.) .[.[0:2]]? map(tostring|explode|implode) .==.[1:]
map(tostring|ascii_upcase) map(tostring|split("")) [.[]|.[]?] map(try(error(.))catch(.))
map(tojson|fromjson?) del(.[]) any(.[];.==3) [.[]as$x|$x] map(tostring|ltrimstr("1")) map(.//1)
"""


def hostile(size: int) -> list[Any]:
    """Values that have about so many bytes, each bad for something."""
    deep: Any = 1
    for _ in range(min(size // 2, 400)):
        deep = [deep]
    return [
        [1] * (size // 2),
        [[1]] * (size // 4),
        ["'"] * (size // 4),
        [{"a": 1}] * (size // 8),
        [index % 97 for index in range(size // 3)],
        {f"{index:x}": 1 for index in range(size // 9)},
        ["x" * (size - 10)],
        deep,
    ]


@pytest.mark.parametrize("source", HEAVY.split())
def test_hostile_values_take_no_longer_than_the_bound(source: str) -> None:
    expression = compile(source, ())
    largest = here(parse(source)[1]).largest_input
    assert largest == 0 or expression.bounded
    for value in hostile(largest - 100) if largest else []:
        assert len(msgspec.json.encode([value])) <= largest
        begun = time.process_time_ns()
        with suppress(WorkflowError):
            expression.evaluate_here(value, {})
        assert time.process_time_ns() - begun < 3 * LONGEST_NS


class Counted:
    """A stretch of work."""

    work = 0


async def test_an_evaluation_that_takes_long_is_more_work_than_a_short_one() -> None:
    expression = compile("map(tostring) | sort", ())
    short, long = Counted(), Counted()
    await expression.evaluate([1], {}, short)
    await expression.evaluate([1] * 1000, {}, long)
    assert short.work == 0
    assert 5 < long.work <= LONGEST_NS / WORK_NS


def test_most_of_the_heavy_ones_are_bounded() -> None:
    sources = HEAVY.split()
    bounded = [source for source in sources if compile(source, ()).bounded]
    assert len(bounded) > len(sources) * 3 / 4
