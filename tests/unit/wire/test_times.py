from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from perdure.wire.times import moment


def test_has_milliseconds_and_a_z() -> None:
    assert moment(1_771_864_200_123) == "2026-02-23T16:30:00.123Z"
    assert moment(1_771_864_200_000) == "2026-02-23T16:30:00.000Z"
    assert moment(0) == "1970-01-01T00:00:00.000Z"


def test_no_moment_stays_none() -> None:
    assert moment(None) is None


@given(st.integers(0, 250_000_000_000_000))
def test_reads_back_as_the_same_moment(at_ms: int) -> None:
    read = datetime.fromisoformat(moment(at_ms))
    seconds, milliseconds = divmod(at_ms, 1000)
    assert read == datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
