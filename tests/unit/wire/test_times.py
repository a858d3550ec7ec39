from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from perdure.wire.times import milliseconds, moment


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


zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(-60_000_000_000_000, 250_000_000_000_000), zones)
def test_a_moment_is_the_same_in_every_zone(at_ms: int, zone: timezone) -> None:
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)
    assert milliseconds(at.astimezone(zone)) == at_ms


def test_what_is_finer_than_milliseconds_is_rounded_up() -> None:
    at = datetime(2026, 2, 23, 16, 30, 0, 123_001, tzinfo=UTC)
    assert milliseconds(at) == 1_771_864_200_124


def test_the_edges_of_the_calendar_are_moments_too() -> None:
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-23)))
    assert milliseconds(first) < -62_135_596_800_000 < 253_402_300_800_000 < milliseconds(last)
