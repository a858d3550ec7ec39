from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.durations import Duration, milliseconds, text


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("90s", 90_000),
        ("1h30m", 5_400_000),
        ("500ms", 500),
        ("0s", 0),
        ("1.5s", 1_500),
        (" 2d ", 172_800_000),
        ("1w", 604_800_000),
        ("PT1H", 3_600_000),
        ("PT0.25S", 250),
        ("P1DT2H", 93_600_000),
        ("P2W", 1_209_600_000),
        (timedelta(minutes=2), 120_000),
        (timedelta(microseconds=1_600), 2),
    ],
)
def test_durations_are_read(duration: Duration, expected: int) -> None:
    assert milliseconds(duration) == expected


@pytest.mark.parametrize(
    "duration",
    ["", "90", "s", "1x", "1h 30", "-1s", "P", "PT", "P1Y", "1s1", "9" * 60 + "d", "1s" * 40],
)
def test_other_texts_are_refused(duration: str) -> None:
    with pytest.raises(ValueError, match=r"duration|100 years"):
        milliseconds(duration)


def test_a_negative_timedelta_is_refused() -> None:
    with pytest.raises(ValueError, match="100 years"):
        milliseconds(timedelta(seconds=-1))


@pytest.mark.parametrize("number", [5, 0.5, None])
def test_a_bare_number_has_no_unit(number: object) -> None:
    with pytest.raises(TypeError, match="no unit"):
        milliseconds(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length_ms", "written"),
    [(0, "0s"), (250, "0.25s"), (90_000, "1m30s"), (3_600_000, "1h"), (90_061_500, "1d1h1m1.5s")],
)
def test_lengths_are_written(length_ms: int, written: str) -> None:
    assert text(length_ms) == written


@given(st.integers(0, 10**12))
def test_what_is_written_is_read_back(length_ms: int) -> None:
    assert milliseconds(text(length_ms)) == length_ms
