"""URI templates: what they expand to, what is refused, and where."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.openworkflow.errors import WorkflowError
from perdure.openworkflow.uri_templates import UriTemplate, UriTemplateError, parse

# The level 1 examples of RFC 6570, section 1.2 and 3.2.2, and its variables.
VARIABLES = {
    "var": "value",
    "hello": "Hello World!",
    "half": "50%",
    "who": "fred",
    "base": "http://example.com/home/",
    "empty": "",
    "undef": None,
    "dom": "example.com",
}


@pytest.mark.parametrize(
    ("template", "expanded"),
    [
        ("{var}", "value"),
        ("{hello}", "Hello%20World%21"),
        ("{half}", "50%25"),
        ("O{empty}X", "OX"),
        ("O{undef}X", "OX"),
        ("{base}", "http%3A%2F%2Fexample.com%2Fhome%2F"),
        ("/path/{who}?q={who}#{who}", "/path/fred?q=fred#fred"),
        ("", ""),
        ("https://example.com/a?b=c&d=[e]#f", "https://example.com/a?b=c&d=[e]#f"),
    ],
)
def test_the_examples_of_the_rfc(template: str, expanded: str) -> None:
    assert parse(template).expand(VARIABLES) == expanded


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("a/b?c#d&e=f", "a%2Fb%3Fc%23d%26e%3Df"),
        ("../x", "..%2Fx"),
        ("ä€😀", "%C3%A4%E2%82%AC%F0%9F%98%80"),
        ("a\r\nb", "a%0D%0Ab"),
        ("-._~", "-._~"),
        ("{other}", "%7Bother%7D"),
        ("${ .secret }", "%24%7B%20.secret%20%7D"),
        (7, "7"),
        (-2.5, "-2.5"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        (False, "false"),
        (None, ""),
    ],
)
def test_a_property_is_encoded(value: object, expanded: str) -> None:
    assert parse("/{x}/").expand({"x": value, "other": "no"}) == f"/{expanded}/"


def test_names_are_verbatim() -> None:
    template = parse("/{pet.id}/{a%20b}/{_0}")
    assert template.names == ("pet.id", "a%20b", "_0")
    properties = {"pet.id": 1, "pet": {"id": 2}, "a%20b": 3, "a b": 4, "_0": 5}
    assert template.expand(properties) == "/1/3/5"


@pytest.mark.parametrize("value", [None, [], ["x"], "x", 1, True])
def test_what_is_no_object_has_no_properties(value: object) -> None:
    assert parse("/{x}").expand(value) == "/"


@pytest.mark.parametrize(("value", "kind"), [({}, "an object"), ([1], "an array")])
def test_only_scalars_can_be_in_a_uri(value: object, kind: str) -> None:
    with pytest.raises(WorkflowError, match=rf"\{{pet}} is {kind}") as caught:
        parse("/{pet}").expand({"pet": value})
    assert caught.value.failure.type.endswith("/errors/expression")
    assert caught.value.failure.status == 400


def test_literals_get_encoded_where_no_uri_may_have_them() -> None:
    assert parse("/a b/ü/%41/100%/<x>").expand({}) == "/a%20b/%C3%BC/%41/100%25/%3Cx%3E"


@pytest.mark.parametrize(
    ("template", "offset", "said"),
    [
        ("/{", 1, "never closed"),
        ("/{a", 1, "never closed"),
        ("/a}", 2, "closes nothing"),
        ("{a}}", 3, "closes nothing"),
        ("/{}", 2, "without a name"),
        ("/{+path}", 2, "operator '\\+'"),
        ("/{?q}", 2, "operator '\\?'"),
        ("/{a,b}", 3, "',' cannot stand"),
        ("/{a:3}", 3, "':' cannot stand"),
        ("/{a*}", 3, "'\\*' cannot stand"),
        ("/{pet-id}", 5, "'-' cannot stand"),
        ("/{ a }", 2, "' ' cannot stand"),
        ("/{a{b}}", 3, "'{' cannot stand"),
        ("/{a.}", 3, "'.' cannot stand"),
    ],
)
def test_what_is_no_template_is_told_with_its_place(template: str, offset: int, said: str) -> None:
    with pytest.raises(UriTemplateError, match=said) as caught:
        parse(template)
    assert caught.value.offset == offset
    assert f"at character {offset + 1} of" in str(caught.value)


NAMES = st.from_regex(r"[A-Za-z0-9_]{1,8}(\.[A-Za-z0-9_]{1,4})?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(TEXTS, st.integers(-(2**63), 2**63), st.booleans(), st.none())
UNRESERVED = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*")


@given(st.dictionaries(NAMES, SCALARS, max_size=4))
def test_values_add_nothing_to_the_structure_of_a_uri(values: dict[str, Any]) -> None:
    template = parse("/".join(f"{{{name}}}" for name in values))
    parts = template.expand(values).split("/") if values else []
    assert len(parts) == len(values)
    for value, part in zip(values.values(), parts, strict=True):
        assert UNRESERVED.fullmatch(part)
        if isinstance(value, str):
            assert unquote(part) == value


def parsed(source: str) -> UriTemplate | int:
    """The template, or where the text is none."""
    try:
        return parse(source)
    except UriTemplateError as error:
        return error.offset


@given(st.text(max_size=30))
def test_any_text_is_a_template_or_told_to_be_none(source: str) -> None:
    template = parsed(source)
    if isinstance(template, int):
        assert 0 <= template < len(source)
    else:
        expanded = template.expand({})
        assert expanded.isascii()
        assert parse(expanded).expand({}) == expanded, "expanding twice changes nothing"


@given(st.text("ab{}+. %", max_size=12))
def test_braces_in_every_order(source: str) -> None:
    template = parsed(source)
    if not isinstance(template, int):
        assert source.count("{") == source.count("}") == len(template.names)
