"""How findings name places, texts and what was probably meant."""

import pytest

from perdure.openworkflow.findings import listed, meant, nearest, pointer, quoted


def test_pointers_escape_what_would_mislead() -> None:
    assert pointer([]) == ""
    assert pointer(["do", 0, "a/b~c", ""]) == "/do/0/a~1b~0c/"


def test_texts_are_quoted_on_one_line_and_shortened() -> None:
    assert quoted("a") == '"a"'
    assert quoted("a\nb\x1b") == '"a\\nb\\x1b"'
    assert len(quoted("x" * 1_000)) == 62


def test_lists_read_as_sentences() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a or b"
    assert listed(["a", "b", "c"], "and") == "a, b and c"
    assert listed(map(str, range(30))).endswith("19 or 10 more")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("metod", "method"), ("METHOD", "method"), ("endpont", "endpoint"), ("url", "uri")),
        *(("next", None), ("", None), ("x" * 1_000, None), ("thod", "method")),
    ],
)
def test_the_nearest_name_is_one_that_was_probably_meant(name: str, expected: str | None) -> None:
    assert nearest(name, ["method", "endpoint", "uri", "export", ""]) == expected


def test_nothing_is_said_where_no_name_is_near() -> None:
    assert meant("metod", ["method"]) == " (did you mean method?)"
    assert meant("metod", []) == ""
