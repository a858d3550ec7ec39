import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.position import child, escape, instance, is_internal
from perdure.model.position import name as name_at


@pytest.mark.parametrize(
    ("named", "segment"),
    [("observe", "observe"), ("a/b", "a~1b"), ("a~b", "a~0b"), ("a@3", "a~23"), ("~2", "~02")],
)
def test_names_are_escaped(named: str, segment: str) -> None:
    assert escape(named) == segment


def test_counts_are_left_out_where_they_are_zero() -> None:
    assert child("/do/0", "each") == "/do/0/each"
    assert child("/do/0", "each", 3) == "/do/0/each@3"


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        ("/observe", "/observe"),
        ("/observe@12", "/observe"),
        ("/gather@1/0/observe@2/~retry@3", "/gather/0/observe/~retry"),
        ("/a~23@1", "/a@3"),
        ("", ""),
    ],
)
def test_the_instance_has_no_counts(position: str, shown: str) -> None:
    assert instance(position) == shown


@given(st.lists(st.tuples(st.text(), st.integers(0, 9)), max_size=4))
def test_the_instance_is_the_json_pointer_of_the_names(names: list[tuple[str, int]]) -> None:
    position, pointer = "", ""
    for name, count in names:
        position = child(position, escape(name), count)
        pointer += "/" + name.replace("~", "~0").replace("/", "~1")
    assert instance(position) == pointer


@given(st.text(), st.text(), st.integers(0, 9), st.integers(0, 9))
def test_positions_are_unique(one: str, other: str, first: int, second: int) -> None:
    same = child("", escape(one), first) == child("", escape(other), second)
    assert same is ((one, first) == (other, second))


@pytest.mark.parametrize("position", ["/~timeout", "/observe/~retry@2", "/~patch:a"])
def test_segments_of_perdures_own_are_internal(position: str) -> None:
    assert is_internal(position)


@given(st.text())
def test_no_name_makes_an_internal_segment(name: str) -> None:
    assert not is_internal(child("/do", escape(name)))


@given(st.text(min_size=1))
def test_a_position_ends_with_its_name(text: str) -> None:
    assert name_at(child("/do/0", escape(text), 2)) == text
