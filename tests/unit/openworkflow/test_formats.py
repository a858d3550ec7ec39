"""Formats of texts: what fits, and what does not."""

import pytest

from perdure.openworkflow import formats


@pytest.mark.parametrize(
    ("test", "fitting", "others"),
    [
        (
            formats.is_semantic_version,
            ["1.0.0", "0.0.1-rc.1", "1.2.3+build.5", "1.0.0-0a"],
            ["1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0\n", "", "1.0.0-", "\uff11.0.0"],
        ),
        (
            formats.is_name,
            ["a", "A-1", "a" * 63],
            ["", "-a", "a-", "a" * 64, "a.b", "a_b", "ä", "a\n"],
        ),
        (formats.is_host, ["a", "a.example", "127.0.0.1"], ["", "a b", ".a", "a_b", "[::1]"]),
        (
            formats.is_duration,
            ["PT1S", "P1Y2M3W4DT5H6M7.5S", "P1D", "${ .a }", " ${ .a } "],
            ["", "P", "PT", "1S", "PT1", "P1S", "pt1s", "P-1D", "PT1S\n", "${ }x"],
        ),
        (
            formats.is_location,
            ["https://a.example/{id}", "/a?b=c#d", "urn:a:b", "{+a*,b:3}", "it's", "ä", "%20"],
            ["", " a", "a b", "{", "a}", "{a b}", "%zz", "${ .a }", "a\n", "<a>"],
        ),
        (formats.is_location_or_expression, ["a", "${ .a }"], ["a b", "${ .a"]),
        (formats.is_pointer_or_expression, ["", "/a/0", "/a~1b~0", "${ .a }"], ["a", "/a~2", "/~"]),
        (
            formats.is_moment_or_expression,
            ["2024-02-29T12:00:00Z", "2024-01-01t00:00:00.5+01:00", "${ .a }"],
            ["2023-02-29T12:00:00Z", "2024-01-01", "2024-01-01T25:00:00Z", "2024-01-01T00:00:00"],
        ),
    ],
)
def test_what_fits_and_what_does_not(test: object, fitting: list[str], others: list[str]) -> None:
    assert callable(test)
    assert [text for text in fitting if not test(text)] == []
    assert [text for text in others if test(text)] == []


def test_the_formats_of_json_schema() -> None:
    assert formats.is_json_schema("json")
    assert formats.is_json_schema("json:2020-12")
    assert not formats.is_json_schema("jsonx")
    assert not formats.is_json_schema(None)


@pytest.mark.parametrize(
    "text", ["/" * 200_000, "{a" * 200_000, "P" + "1" * 200_000, "1." * 200_000]
)
def test_long_texts_are_answered_in_linear_time(text: str) -> None:
    for test in (
        formats.is_semantic_version,
        formats.is_name,
        formats.is_host,
        formats.is_duration,
        formats.is_location,
        formats.is_pointer_or_expression,
        formats.is_moment_or_expression,
    ):
        test(text)
