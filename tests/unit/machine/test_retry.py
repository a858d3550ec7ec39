import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.machine.retry import RetryPolicy


def test_retries_are_the_attempts_after_the_first() -> None:
    policy = RetryPolicy(retries=3)
    assert [policy.allows(attempt) for attempt in range(1, 6)] == [True, True, True, False, False]
    assert not RetryPolicy().allows(1)


def test_waits_grow_by_the_factor_up_to_the_maximum() -> None:
    policy = RetryPolicy(retries=9, delay_ms=100, factor=3.0, maximum_ms=1_000, jitter=0.0)
    assert [policy.delay_after(attempt, 0.5) for attempt in range(1, 5)] == [100, 300, 900, 1_000]


def test_jitter_shortens_by_its_share_at_most() -> None:
    policy = RetryPolicy(retries=1, delay_ms=1_000, jitter=0.2)
    assert policy.delay_after(1, 0.0) == 1_000
    assert policy.delay_after(1, 0.5) == 900
    assert policy.delay_after(1, 1.0) == 800


@given(
    attempt=st.integers(1, 1_000_000),
    draw=st.floats(0, 1, exclude_max=True),
    factor=st.floats(1, 1e300),
    maximum_ms=st.integers(0, 10**15),
    jitter=st.floats(0, 1),
)
def test_no_wait_is_negative_or_beyond_the_maximum(
    attempt: int, draw: float, factor: float, maximum_ms: int, jitter: float
) -> None:
    policy = RetryPolicy(retries=1, factor=factor, maximum_ms=maximum_ms, jitter=jitter)
    assert 0 <= policy.delay_after(attempt, draw) <= maximum_ms


def test_no_delay_is_no_wait() -> None:
    assert RetryPolicy(retries=1, delay_ms=0).delay_after(1, 0.0) == 0


@pytest.mark.parametrize("attempt", [1, 5_000])
def test_a_factor_of_one_waits_the_same(attempt: int) -> None:
    assert RetryPolicy(delay_ms=70, factor=1.0, jitter=0.0).delay_after(attempt, 0.0) == 70
