from hypothesis import given
from hypothesis import strategies as st

from perdure.machine.randomness import Randomness


def test_the_sequence_is_that_of_splitmix64() -> None:
    numbers = Randomness(1234567)
    # The values of the reference implementation for this seed (prng.di.unimi.it/splitmix64.c).
    assert [numbers.bits64() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(st.integers(-(2**70), 2**70))
def test_numbers_are_in_the_unit_interval(seed: int) -> None:
    numbers = Randomness(seed)
    assert all(0.0 <= numbers.random() < 1.0 for _ in range(20))


def test_uuids_are_of_version_4_and_differ() -> None:
    numbers = Randomness(7)
    first, second = numbers.uuid4(), numbers.uuid4()
    assert first != second
    assert first.version == second.version == 4
