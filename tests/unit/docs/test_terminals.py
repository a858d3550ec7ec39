"""What counts as printed as shown."""

import pytest

from tests.support.terminals import INTERRUPT, Typed, pattern, typed


def test_a_block_is_commands_and_what_they_print() -> None:
    shown = "$ one \\\n  more\nprinted\n\nand more\n$ for x in 1; do\n> two\n> done\n^C\n"
    assert typed(shown) == [
        Typed("one \\\n  more", "printed\n\nand more\n"),
        Typed("for x in 1; do\ntwo\ndone", ""),
        Typed(INTERRUPT, ""),
    ]


def test_a_block_begins_with_a_command() -> None:
    with pytest.raises(ValueError, match="begins with a command"):
        typed("printed\n")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a…c\n", "abc\n"),
        ("a.c  \n", "a.c\n"),
        ("…\nend\n", "end\n"),
        ("first\n…\nend\n", "first\nx\ny\nend\n"),
        ("first\n…\n", "first\n"),
        ("", ""),
    ],
)
def test_it_is_as_shown(shown: str, printed: str) -> None:
    assert pattern(shown).fullmatch(printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a…c\n", "ab\nc\n"),
        ("a.c\n", "abc\n"),
        ("a\n", ""),
        ("", "a\n"),
        ("a\n", "a\nb\n"),
        ("…\nend\n", "x\n"),
        ("first\n…\nend\n", "first\nend\nx\n"),
    ],
)
def test_it_is_not_as_shown(shown: str, printed: str) -> None:
    assert not pattern(shown).fullmatch(printed)
