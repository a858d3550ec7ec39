"""Reading: what becomes of YAML and JSON, where everything is, and what is refused."""

import codecs
import json
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.openworkflow.reading import LIMIT_BYTES, Node, ReadingError, attempt, read
from perdure.openworkflow.reading.draft import LIMIT_DEPTH, LIMIT_KEY, LIMIT_NODES
from tests.support.specification import examples, needs_specification


def said(source: str | bytes) -> list[tuple[int, int, str]]:
    """Line, column and message of each problem."""
    text = source.encode() if isinstance(source, str) else source
    with pytest.raises(ReadingError) as raised:
        read(text)
    return [(p.line, p.column, p.message) for p in raised.value.problems]


def value(source: str) -> Any:
    return read(source.encode()).value


# -- scalars ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *(
            ("true", True),
            ("True", True),
            ("FALSE", False),
            ("null", None),
            ("~", None),
            ("", None),
        ),
        *(("0", 0), ("-1", -1), ("1.50", 1.5), ("1e3", 1000.0), ("-0", 0)),
        *((str(2**64 - 1), 2**64 - 1), (str(-(2**63)), -(2**63))),
    ],
)
def test_words_and_numbers_of_json_are_special(written: str, expected: Any) -> None:
    found = value(f"a: {written}")["a"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "written",
    [
        *("on", "off", "yes", "no", "y", "n", "On", "NO", "tRUE", "nil", "None"),
        *("2024-01-01", "2001-12-14t21:59:43.10-05:00", "12:30:45", "1_000", "0o7", "0x1F", "007"),
        *("+1", ".5", "1.", "1e", "1.2.3", "0b1", "inf", "nan", "=", "a b", "1 2"),
    ],
)
def test_all_else_is_text(written: str) -> None:
    assert value(f"a: {written}") == {"a": written}


@pytest.mark.parametrize("key", ["on", "no", "1", "1.5", "true", "null", "2024-01-01"])
def test_keys_are_texts_as_they_are_written(key: str) -> None:
    assert value(f"{key}: 1") == {key: 1}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("!!str 1", "1"),
        ("!!int 1", 1),
        ("!!float 1", 1.0),
        ("!!bool true", True),
        ("!!null ~", None),
        ("!!null", None),
        ("! 1", "1"),
        ("!!seq [1]", [1]),
        ("!!map {b: 1}", {"b": 1}),
    ],
)
def test_tags_of_the_core_schema_are_understood(written: str, expected: Any) -> None:
    found = value(f"a: {written}")["a"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("!foo 1", 'the tag "!foo" is not known'),
        ("!!timestamp 2024-01-01", 'the tag "!!timestamp" is not known'),
        ("!!python/object:os.system {}", "is not known"),
        ("!!int x", "this is no value for the tag !!int"),
        ("!!int 1.5", "this is no value for the tag !!int"),
        ("!!bool 1", "this is no value for the tag !!bool"),
        ("!!seq {b: 1}", "this is no value for the tag !!seq"),
        (".inf", ".inf is a number that JSON does not have"),
        ("-.INF", "-.INF is a number that JSON does not have"),
        (".NaN", ".NaN is a number that JSON does not have"),
        ("1e999", "too large for a double"),
        (str(2**64), "does not fit in 64 bits"),
        (str(-(2**63) - 1), "does not fit in 64 bits"),
        ("9" * 1001, "more than 1,000 digits"),
        ('"\\0"', "NUL"),
    ],
)
def test_what_json_has_not_is_refused_where_it_stands(written: str, message: str) -> None:
    ((line, column, found),) = said(f"b: 1\na: {written}")
    assert (line, column) == (2, 4)
    assert message in found


# -- structure -------------------------------------------------------------------------------


def places(node: Node, at: str = "") -> dict[str, tuple[int, int]]:
    """Where each value stands, and with a # each key."""
    found = {at: (node.line, node.column)}
    found |= {f"{at}/#{key}": place for key, place in (node.keys or {}).items()}
    for key, member in (node.members or {}).items():
        found |= places(member, f"{at}/{key}")
    for index, item in enumerate(node.items or ()):
        found |= places(item, f"{at}/{index}")
    return found


def test_every_key_and_value_knows_its_place() -> None:
    assert places(read(b"a:\n  - b: [1,\n      x]\n    c: d\n")) == {
        "": (1, 1),
        "/#a": (1, 1),
        "/a": (2, 3),
        "/a/0": (2, 5),
        "/a/0/#b": (2, 5),
        "/a/0/b": (2, 8),
        "/a/0/b/0": (2, 9),
        "/a/0/b/1": (3, 7),
        "/a/0/#c": (4, 5),
        "/a/0/c": (4, 8),
    }


def test_json_knows_its_places_too() -> None:
    assert places(read(b'{\n  "a": [true,\r\n "b"],\r"c": {}}')) == {
        "": (1, 1),
        "/#a": (2, 3),
        "/a": (2, 8),
        "/a/0": (2, 9),
        "/a/1": (3, 2),
        "/#c": (4, 1),
        "/c": (4, 6),
    }


def test_columns_count_characters() -> None:
    assert said("'ä😀': 1\na: !x 1\n")[0][:2] == (2, 4)
    root = read('{"ä😀": 1, "b": 2}'.encode())
    assert root.keys == {"ä😀": (1, 2), "b": (1, 11)}


def test_json_is_read_as_json() -> None:
    text = '{"a": "\\ud83d\\ude00\\/",\t"b":\t"c",\n"d": "\x7f\x85\u2028"}'
    assert value(text) == {"a": "😀/", "b": "c", "d": "\x7f\x85\u2028"}


def test_what_only_resembles_json_is_yaml() -> None:
    assert value("{a: 1, 'b': [on]} # no JSON") == {"a": 1, "b": ["on"]}


def test_a_key_that_occurs_twice_is_refused_in_both() -> None:
    expected = 'the key "a" occurs twice in this object, first in line 1'
    assert expected in said("a: 1\nb: 2\na: 3")[0][2]
    assert said('{"a": 1,\n "a": 2}')[0][:2] == (2, 2)


def test_all_problems_are_told_at_once() -> None:
    places = [(line, column) for line, column, _ in said("a: .inf\na: 1e999\nb: !x 1\n")]
    assert places == [(1, 4), (2, 1), (2, 4), (3, 4)]


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("", 1, 1, "the document is empty"),
        ("# nothing\n", 1, 1, "the document is empty"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
        ("a: 1\n...\nb: 2", 3, 1, "this is no YAML"),
        ("a:\n\tb: 1", 2, 1, "a tab cannot stand where a line is indented"),
        ("a: b: c", 1, 5, "a colon cannot stand here"),
        ("a: [1", 1, 6, "this is no YAML"),
        ('a: "b', 1, 6, "this is no YAML"),
        ("<<: {a: 1}", 1, 1, "merge keys"),
        ("? [a]\n: b", 1, 3, "a key is a text"),
        ("&a b: 1", 1, 1, "remove the anchor &a"),
        ("!!int 1: 1", 1, 1, "remove the tag"),
        ("? \n: 1", 1, 2, "a key is missing"),
        ("a: *b", 1, 4, "the alias *b has no anchor"),
        ("a: &a [*a]", 1, 8, "stands within what it is an alias of"),
        ("a: \x01", 1, 4, "cannot stand here: write it as an escape"),
        ("a: 1\r\nb: \u2028", 2, 4, "cannot stand here"),
        ("a: \ufeff", 1, 4, "cannot stand here"),
        ('a: "\\ud83d"', 1, 7, "YAML has no surrogate pairs"),
        ('{"a": "\\ud83d"}', 1, 7, "half of a surrogate pair"),
        ('{"a": "\\u0000"}', 1, 7, "NUL"),
        ('{"\\udc00": 1}', 1, 2, "half of a surrogate pair"),
        ('{"a": 1e999}', 1, 7, "too large for a double"),
        (f"{'a' * (LIMIT_KEY + 1)}: 1", 1, LIMIT_KEY + 2, "a colon cannot stand"),
        (f'{{"{"a" * (LIMIT_KEY + 1)}": 1}}', 1, 2, "more than 1,024 characters"),
    ],
)
def test_what_is_no_document_is_refused(source: str, line: int, column: int, message: str) -> None:
    found = said(source)
    assert found[0][:2] == (line, column)
    assert message in found[0][2]


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        (b"a: 1\nb: \xff", (2, 4), "the byte 0xff is no UTF-8"),
        (b"a: 1\nb: \x00", (2, 4), "NUL"),
        (b'{"a": "\x00"}', (1, 8), "NUL"),
        (codecs.BOM_UTF8 + b"a: 1", (1, 1), "a byte order mark of UTF-8"),
        ("a: 1".encode("utf-16"), (1, 1), "a byte order mark of UTF-16"),
        ("a: 1".encode("utf-32"), (1, 1), "a byte order mark of UTF-32"),
        (b"a" * (LIMIT_BYTES + 1), (1, 1), "1,048,577 bytes"),
    ],
)
def test_what_is_no_text_is_refused(source: bytes, place: tuple[int, int], message: str) -> None:
    ((line, column, found),) = said(source)
    assert (line, column) == place
    assert message in found


def test_aliases_stand_for_what_they_name() -> None:
    assert value("a: &x {b: [1]}\nc: *x\nd: [*x]") == {
        "a": {"b": [1]},
        "c": {"b": [1]},
        "d": [{"b": [1]}],
    }
    assert value('a: {"<<": 1}') == {"a": {"<<": 1}}


# -- limits ----------------------------------------------------------------------------------


def nested(depth: int) -> str:
    return '{"a":' + "[" * depth + "]" * depth + "}"


def test_depth_is_bounded() -> None:
    assert value(nested(LIMIT_DEPTH))
    for source in (nested(LIMIT_DEPTH + 1), " # no JSON\n" + nested(LIMIT_DEPTH + 1)):
        assert "nested deeper than 100 levels" in said(source)[0][2]


def test_depth_counts_through_aliases() -> None:
    half = "[" * 51 + "]" * 51
    assert value(f"a: &x {half}\nb: {'[' * 49}*x{']' * 49}")
    found = said(f"a: &x {half}\nb: {'[' * 50}*x{']' * 50}")
    assert "nested deeper" in found[0][2]


def test_the_number_of_values_is_bounded() -> None:
    listed = ",".join("1" * (LIMIT_NODES - 2))
    assert len(value(f'{{"a":[{listed}]}}')["a"]) == LIMIT_NODES - 2
    assert "more than 100,000 values" in said(f'{{"a":[{listed},1]}}')[0][2]
    keys = ",".join(f'"{i}":1' for i in range(LIMIT_NODES))
    assert "more than 100,000 values" in said(f"{{{keys}}}")[0][2]


def test_billion_laughs_are_not_laughed() -> None:
    names = "abcdefghij"
    lines = [f"a: &a [{','.join('x' * 10)}]"]
    for before, name in pairwise(names):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]")
    assert (
        "more than 100,000 values, what aliases stand for included" in said("\n".join(lines))[0][2]
    )


def test_texts_of_aliases_count() -> None:
    found = said(f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 20)}]")
    assert "more than 1,048,576 characters, what aliases stand for included" in found[0][2]


@pytest.mark.parametrize(
    "source", ["[", "{", "- ", "[{", '{"a":', "&a [", "!!seq [", "? ", "a: &a\n"]
)
@pytest.mark.parametrize("pure", [False, True])
def test_a_megabyte_of_beginnings_is_refused_soon(source: str, pure: bool) -> None:
    text = (source * LIMIT_BYTES)[:LIMIT_BYTES].encode()
    assert attempt(text, pure=pure).problems


# -- for all inputs --------------------------------------------------------------------------

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda parts: st.lists(parts, max_size=5) | st.dictionaries(_texts, parts, max_size=5),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Whether two trees are equal with their types, and with the signs of their zeros."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)


@given(st.dictionaries(_texts, _trees), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_a_tree_that_is_dumped_as_json_is_read_as_that_tree(
    tree: Any, ascii_only: bool, indent: int | str | None
) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent)
    root = read(text.encode())
    assert same(root.value, tree)
    assert places_are_true(root, text)


def places_are_true(node: Node, text: str) -> bool:
    """Whether there is a node's value at its place."""
    lines = text.split("\n")
    rest = lines[node.line - 1][node.column - 1 :] + "".join(f"\n{x}" for x in lines[node.line :])
    found, _ = json.JSONDecoder().raw_decode(rest)
    parts = [*(node.items or ()), *(node.members or {}).values()]
    return same(found, node.value) and all(places_are_true(part, text) for part in parts)


_yaml_texts = st.text(st.sampled_from("ab1-:,[]{}&*!|>'\"# \n%~<?@`.\\"), max_size=30)


@given(_yaml_texts | _texts)
def test_both_parsers_read_the_same(source: str) -> None:
    text = f"{source}\n".encode()
    ours, pure = attempt(text), attempt(text, pure=True)
    if not ours.problems and not pure.problems:
        assert ours.root == pure.root


@given(st.binary(max_size=60))
def test_reading_raises_nothing_but_its_error(source: bytes) -> None:
    reading = attempt(source)
    assert (reading.root is not None) or reading.problems


@needs_specification
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_both_parsers_read_the_examples_the_same(path: Any) -> None:
    source = path.read_bytes()
    assert attempt(source).root == attempt(source, pure=True).root
