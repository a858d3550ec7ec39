"""The grammar: what jq accepts is accepted, and nothing else."""

import re

import jq
import pytest
from hypothesis import example, given, settings

from perdure.openworkflow.errors import ExpressionError
from perdure.openworkflow.expressions import compile
from perdure.openworkflow.expressions import syntax as s
from perdure.openworkflow.expressions.lexing import LONGEST_SOURCE
from perdure.openworkflow.expressions.parsing import parse
from tests.unit.openworkflow.expressions.sources import phrases, words

_OF_THE_GRAMMAR = ("syntax error", "Invalid", "May need", "Possibly", "not given")
_ELSEWHERE = ("as object key",)
"""What jq finds only after it has folded constants."""


def is_accepted(source: str) -> bool:
    """Whether our grammar accepts it."""
    try:
        parse(source)
    except ExpressionError:
        return False
    return True


def jq_accepts(source: str) -> bool | None:
    """Whether jq's grammar accepts it; None where another check of jq's stands before."""
    try:
        jq.compile(source)
    except ValueError as error:
        if any(words in str(error) for words in _ELSEWHERE):
            return None
        return not any(words in str(error) for words in _OF_THE_GRAMMAR)
    return True


@settings(max_examples=600)
@given(phrases)
@example(". as [$a] ?// $a | 1, 2 as $x | 3")
@example("1 as $x | 2, 3 as $y | 4 | def f: 5; 6")
@example("try -1 catch . + 1 // 2")
@example("1 == 1 and 2 == 2 or .a = 1 // .b |= 2")
def test_phrases_get_the_same_yes_or_no_from_jq(source: str) -> None:
    theirs = jq_accepts(source)
    assert theirs is None or is_accepted(source) is theirs


@settings(max_examples=1500)
@given(words)
@example(["reduce", "1", "as", "$x", "(", "1", ";", "2", ")"])
def test_words_in_any_order_get_the_same_yes_or_no_from_jq(words: list[str]) -> None:
    source = " ".join(words)
    if "*" in words:  # jq computes products of constants as it compiles
        return
    theirs = jq_accepts(source)
    assert theirs is None or is_accepted(source) is theirs


PRECEDENCE = {
    "1 + 2 * 3": "1 + (2 * 3)",
    "1 - 2 - 3": "(1 - 2) - 3",
    ".a // .b // 1": ".a // (.b // 1)",
    ".a // 1 + 2": ".a // (1 + 2)",
    ".a or .b and .c": ".a or (.b and .c)",
    ".a == 1 and .b": "(.a == 1) and .b",
    "1, 2 | 3": "(1, 2) | 3",
    ".a = 1 | .b": "(.a = 1) | .b",
    ".a = .b // 1": "(.a = .b) // 1",
    "-.a.b": "-(.a.b)",
    "-.a + 1": "(-.a) + 1",
    "1 as $x | 2, 3 | 4": "1 as $x | ((2, 3) | 4)",
    "1, 2 as $x | 3": "1, (2 as $x | 3)",
    "1 + 2 as $x | 3": "(1 + 2) as $x | 3",
    "def f: 1; 2 | 3": "def f: 1; (2 | 3)",
    "try 1 + 2": "(try 1) + 2",
    "try .a.b? catch .c": "try ((.a.b)?) catch (.c)",
    "reduce .[] as $x (0; 1) | 2": "(reduce .[] as $x (0; 1)) | 2",
}


@pytest.mark.parametrize(("source", "grouped"), PRECEDENCE.items(), ids=list(PRECEDENCE))
def test_precedence(source: str, grouped: str) -> None:
    if "?" in source:
        assert isinstance(parse(source)[1], s.Try)
    else:
        assert _without_places(parse(source)[1]) == _without_places(parse(grouped)[1])


def _without_places(node: s.Node) -> str:
    return re.sub(r"at=\d+", "", repr(node))


@pytest.mark.parametrize(
    "source",
    ["." + "[0]" * 3000, "-" * 3000 + "1", "(" * 3000, "[" * 60 + "1" + "]" * 60, "1" + "+1" * 3000,
     "1" + "|1" * 3000, "1 as $x | " * 1200 + "1", "if 1 then 1 el" * 1000, "try " * 3000 + "1",
     "1" + " // 1" * 3000, "def f: " * 2000, '"\\(' * 3000, "." * 9000, "label $x | " * 1000 + "1",
     "1" + ",1" * 8000, "{a:" * 3000, "x" * (LONGEST_SOURCE + 1)],
    ids=lambda source: source[:12],
)  # fmt: skip
def test_deep_or_long_sources_are_parsed_or_refused(source: str) -> None:
    assert is_accepted(source) in (True, False)


MESSAGES = {
    "": "empty: write `.`",
    ".a ==": "it ends where a value was expected, at character 6",
    "'a'": "strings stand in double quotes",
    ".a && .b": 'write "and"',
    "!.a": 'write "| not"',
    ".a)": "`)` closes nothing, at character 3",
    "(.a]": "`]` does not close `(`",
    '"abc': "the string is not closed",
    '"\\x"': "no escape that JSON has",
    ".a?//1": "write `? //`",
    "{1: 2}": "`1` comes where a key",
    "{(1): 2}": "has to be a string",
    'import "a" as a; 1': "modules cannot be imported",
    ". foo": "`foo` comes",
    "$": "not followed by a name",
    ".a\n | .b.": "at line 2, character 7",
    "break $x": "no label $x",
    "\0": "has no meaning",
    "1\0, env": "has no meaning",
}


@pytest.mark.parametrize(("source", "message"), MESSAGES.items(), ids=[repr(m) for m in MESSAGES])
def test_what_is_wrong_is_said_with_its_place(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile(source, ())
    assert message in str(raised.value)
