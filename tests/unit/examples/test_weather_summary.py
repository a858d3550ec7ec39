from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.weather.record import Observation, observations_between
from examples.weather.summary import (
    Extreme,
    KindOfWeather,
    Kinds,
    Precipitation,
    Temperature,
    Wind,
    kinds_of,
    precipitation_of,
    temperature_of,
    wind_of,
)

FIRST = date(2014, 7, 1)


def tenths(smallest: int, largest: int) -> st.SearchStrategy[float]:
    return st.integers(smallest, largest).map(lambda value: value / 10)


@st.composite
def observed(draw: st.DrawFn) -> list[Observation]:
    """Some days in order, in tenths as in the record."""
    return [
        Observation(
            day=FIRST + timedelta(number),
            precipitation_mm=draw(tenths(0, 600)),
            high_celsius=draw(tenths(0, 400)),
            low_celsius=draw(tenths(-200, 0)),
            wind_metres_per_second=draw(tenths(1, 150)),
            kind=draw(st.sampled_from(["drizzle", "fog", "rain", "snow", "sun"])),
        )
        for number in range(draw(st.integers(1, 40)))
    ]


def days(*values: tuple[float, str]) -> list[Observation]:
    """Days with this precipitation and label."""
    return [
        Observation(FIRST + timedelta(number), precipitation, 20.0, 10.0, 3.0, kind)
        for number, (precipitation, kind) in enumerate(values)
    ]


def test_july_2014_as_counted_by_hand() -> None:
    july = observations_between(FIRST, date(2014, 7, 31))
    assert temperature_of(july) == Temperature(
        mean_high=26.9,
        mean_low=14.4,
        highest=Extreme(34.4, [date(2014, 7, 1)]),
        lowest=Extreme(11.7, [date(2014, 7, 18)]),
    )
    assert precipitation_of(july) == Precipitation(19.6, 2, Extreme(19.3, [date(2014, 7, 23)]))
    assert wind_of(july) == Wind(
        3.1, windiest=Extreme(5.4, [date(2014, 7, 19)]), calmest=Extreme(1.1, [date(2014, 7, 22)])
    )
    assert kinds_of(july) == Kinds(
        [KindOfWeather("sun", 25), KindOfWeather("fog", 5), KindOfWeather("rain", 1)],
        sunny_but_wet_days=1,
        wet_label_but_dry_days=1,
    )


@pytest.mark.parametrize(
    ("year", "total", "wet_days", "mean_high", "mean_low", "mean_wind"),
    [
        (2012, 1226.0, 177, 15.3, 7.3, 3.4),
        (2013, 828.0, 152, 16.1, 8.2, 3.0),
        (2014, 1232.8, 150, 17.0, 8.7, 3.4),
        (2015, 1139.2, 144, 17.4, 8.8, 3.2),
    ],
)
def test_the_years_as_another_program_sums_them(
    year: int, total: float, wet_days: int, mean_high: float, mean_low: float, mean_wind: float
) -> None:
    observations = observations_between(date(year, 1, 1), date(year, 12, 31))
    precipitation, temperature = precipitation_of(observations), temperature_of(observations)
    assert (precipitation.total, precipitation.wet_days) == (total, wet_days)
    assert (temperature.mean_high, temperature.mean_low) == (mean_high, mean_low)
    assert wind_of(observations).mean == mean_wind


@given(observed())
def test_means_lie_between_the_extremes(observations: Sequence[Observation]) -> None:
    temperature, wind = temperature_of(observations), wind_of(observations)
    highs = [each.high_celsius for each in observations]
    lows = [each.low_celsius for each in observations]
    assert min(highs) <= temperature.mean_high <= temperature.highest.value == max(highs)
    assert min(lows) == temperature.lowest.value <= temperature.mean_low <= max(lows)
    assert wind.calmest.value <= wind.mean <= wind.windiest.value


@given(observed())
def test_an_extreme_names_exactly_the_days_that_had_it(observations: Sequence[Observation]) -> None:
    highest = temperature_of(observations).highest
    for each in observations:
        assert (each.day in highest.days) == (each.high_celsius == highest.value)
        assert each.high_celsius <= highest.value
    assert highest.days == sorted(highest.days)


@given(observed())
def test_precipitation_is_summed_exactly(observations: Sequence[Observation]) -> None:
    precipitation = precipitation_of(observations)
    in_tenths = [round(each.precipitation_mm * 10) for each in observations]
    assert precipitation.total == sum(in_tenths) / 10
    assert precipitation.wet_days == sum(value > 0 for value in in_tenths)
    assert (precipitation.wettest is None) == (precipitation.wet_days == 0)


@given(observed())
def test_every_day_has_one_label(observations: Sequence[Observation]) -> None:
    kinds = kinds_of(observations)
    counts = [kind.days for kind in kinds.labels]
    assert sum(counts) == len(observations)
    assert counts == sorted(counts, reverse=True)


def test_halves_are_rounded_away_from_zero_and_zero_has_no_sign() -> None:
    def mean_low(*lows: float) -> float:
        return temperature_of(
            [
                Observation(FIRST + timedelta(number), 0.0, 20.0, low, 3.0, "sun")
                for number, low in enumerate(lows)
            ]
        ).mean_low

    assert mean_low(12.2, 12.3) == 12.3
    assert mean_low(-0.2, -0.3) == -0.3
    assert str(mean_low(-0.1, 0.1, 0.0, -0.1)) == "0.0"


def test_labels_that_disagree_with_the_gauge_are_counted() -> None:
    kinds = kinds_of(
        days(
            (0.0, "sun"), (0.1, "sun"), (0.0, "rain"), (0.0, "drizzle"), (5.0, "fog"), (1.0, "snow")
        )
    )
    assert (kinds.sunny_but_wet_days, kinds.wet_label_but_dry_days) == (1, 2)
    assert [kind.label for kind in kinds.labels] == ["sun", "drizzle", "fog", "rain", "snow"]
