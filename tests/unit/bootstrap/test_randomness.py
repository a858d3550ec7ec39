from hypothesis import given
from hypothesis import strategies as st

from perdure.bootstrap.randomness import RandomBits


@given(st.integers(1, 64))
def test_numbers_have_as_many_bits_as_are_asked_for(bits: int) -> None:
    random_bits = RandomBits()
    numbers = [random_bits(bits) for _ in range(600)]
    assert all(0 <= number < 1 << bits for number in numbers)
    seen = 0
    for number in numbers:
        seen |= number
    assert seen == (1 << bits) - 1


def test_numbers_do_not_come_again_when_the_stock_is_renewed() -> None:
    random_bits = RandomBits()
    assert len({random_bits(64) for _ in range(5_000)}) == 5_000
