import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.identifiers import (
    RANDOM_BITS,
    created_ms,
    execution_id,
    execution_key,
    next_key,
)

keys = st.integers(0, 2**63 - 1)


@given(keys)
def test_ids_are_read_back(key: int) -> None:
    assert execution_key(execution_id(key)) == key
    assert len(execution_id(key)) == 18


@given(keys, keys)
def test_ids_sort_as_their_keys(one: int, other: int) -> None:
    assert (execution_id(one) < execution_id(other)) is (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exec-",
        "exec-000000000000",
        "exec-00000000000000",
        "exec-000000000000w",
        "exec-000000000000A",
        "exec-zzzzzzzzzzzzz",
        "exec-g000000000000",
        "other0000000000000",
        "exec-00000000000\u06600",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert execution_key(text) is None


def test_ids_sort_by_creation() -> None:
    earlier = next_key(0, 1_771_864_200_000, (1 << RANDOM_BITS) - 1)
    later = next_key(earlier, 1_771_864_200_001, 0)
    assert execution_id(earlier) < execution_id(later)


@given(st.integers(0, 2**41), st.integers(0, 2**RANDOM_BITS - 1))
def test_an_id_tells_when_it_was_made(now_ms: int, bits: int) -> None:
    assert created_ms(execution_id(next_key(-1, now_ms, bits))) == now_ms


@given(keys, st.integers(0, 2**41), st.integers(0, 2**RANDOM_BITS - 1))
def test_keys_rise_even_when_the_clock_goes_back(last: int, now_ms: int, bits: int) -> None:
    assert next_key(last, now_ms, bits) > last
