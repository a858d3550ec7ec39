"""Expressions and values, made up: for tests that hold ours against jq itself."""

from hypothesis import strategies as st

_NAMES = ["a", "b", "length", "if", "and"]

whole = st.integers(-(2**53), 2**53) | st.integers(-5, 12)
numbers = whole | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
texts = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["", "a", "ab", "1"])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner)
    ),
    max_leaves=6,
)
"""JSON values, integers that doubles do not hold among them."""

_LEAVES = """
. .a .b .a.b ."a" .["b"] .[0] .[-1] $x $x.a $y null true false 0 1 2 0.5 -1 1e3 9007199254740993
"a" "" "é" length not type tostring [] {}
"""
_SIMPLE_OPERATORS = "+ - * / % == != < <= > >= and or // |"
_leaves = st.sampled_from(_LEAVES.split())


def _built(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(_SIMPLE_OPERATORS.split())
    return st.one_of(
        st.builds(lambda left, op, right: f"({left} {op} {right})", inner, operators, inner),
        st.builds(lambda left, op, right: f"{left} {op} {right}", inner, operators, inner),
        st.builds(lambda part: f"[{part}, 1]", inner),
        st.builds(lambda part: f"-({part})", inner),
        st.builds(lambda key, part: f"{{{key}: ({part}), b: .b}}", st.sampled_from(_NAMES), inner),
        st.builds(lambda key, part: f"{{({key}): ({part})}}", inner, inner),
        st.builds(lambda part: f'"t\\({part})\\n"', inner),
        st.builds(lambda test, one: f"if {test} then {one} end", inner, inner),
        st.builds(
            lambda test, one, two: f"if {test} then {one} else {two} end", inner, inner, inner
        ),
        st.builds(lambda part, key: f"({part})[{key}]", inner, inner),
        st.builds(lambda part: f"({part}).a?", inner),
    )


simple = st.recursive(_leaves, _built, max_leaves=8)
"""Expressions most of which are simple."""

_WORDS = """
. .. .a $x a 1 1.5 .5 "s" "\\( @base64 [ ] { } ( ) | , ; : ? ?// = |= += //= == < + - * / % //
and or not if then elif else end as reduce foreach try catch def f label break $__loc__ null "
"""
words = st.lists(st.sampled_from([*_WORDS.split(), "#c\n"]), min_size=1, max_size=7)
"""Words of jq in any order."""

_PHRASES = r"""
. .a .[] .. 1 "s" $x $__loc__ empty @json @json"x\(1)" .[1:] .[:2]? .a? [] {} {a} {$x} {if:1}
{"a":1,(.k):2} {a:1|2,} -1
"""
_OPERATORS = "+ - / % == < and or // | , = |= += //="
_phrases = st.sampled_from(_PHRASES.split())


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(_OPERATORS.split())
    return st.one_of(
        st.builds(lambda left, op, right: f"{left} {op} {right}", inner, operators, inner),
        st.builds(lambda part: f"({part})", inner),
        st.builds(lambda part: f"[{part}]", inner),
        st.builds(lambda part: f"-{part}", inner),
        st.builds(lambda part: f"{part}.a", inner),
        st.builds(lambda part: f"{part}[0]?", inner),
        st.builds(lambda part: f"{part}[]", inner),
        st.builds(lambda one, two: f"{one}.[{two}]", inner, inner),
        st.builds(lambda one, two: f"{one}[{two}:]", inner, inner),
        st.builds(lambda part: f"try {part}", inner),
        st.builds(lambda one, two: f"try {one} catch {two}", inner, inner),
        st.builds(lambda one, two: f"{one} as $x | {two}", inner, inner),
        st.builds(lambda one, two: f"{one} as [$x, {{a: $y}}] ?// $x | {two}", inner, inner),
        st.builds(lambda one, two: f"reduce {one} as $x (0; {two})", inner, inner),
        st.builds(lambda one, two: f"foreach {one} as [$x] (0; {two}; .)", inner, inner),
        st.builds(lambda one, two: f"def f($a; g): {one}; {two}", inner, inner),
        st.builds(lambda part: f"label $l | {part}, break $l", inner),
        st.builds(lambda one, two: f"if {one} then {two} elif 1 then 2 end", inner, inner),
        st.builds(lambda part: f"map({part})", inner),
        st.builds(lambda part: f'"a\\({part})b"', inner),
        st.builds(lambda part: f"{{a: {part}}}", inner),
        st.builds(lambda part: f"{part} # ) \\\n | \n", inner),
    )


phrases = st.recursive(_phrases, _grown, max_leaves=6)
"""Expressions of every construct, with operators in unlucky places."""
