"""The arithmetic: what a run of daily observations amounts to.

Every function takes the observations of at least one day, in order of days. Sums and means are
exact in tenths, as the observations are, and rounded half away from zero at the very end.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .record import Observation

_LABELS_OF_WET_DAYS = frozenset({"drizzle", "rain", "snow"})


@dataclass(frozen=True, slots=True)
class Extreme:
    """The highest or lowest value of a period, and every day that had it."""

    value: float
    days: list[date]


@dataclass(frozen=True, slots=True)
class Temperature:
    """In °C: means of the days' highs and lows, the highest high and the lowest low."""

    mean_high: float
    mean_low: float
    highest: Extreme
    lowest: Extreme


@dataclass(frozen=True, slots=True)
class Precipitation:
    """In mm, melted snow included. A wet day is one on which any was measured."""

    total: float
    wet_days: int
    wettest: Extreme | None


@dataclass(frozen=True, slots=True)
class Wind:
    """In m/s: the mean of the days' average speeds, and the days with the most and least."""

    mean: float
    windiest: Extreme
    calmest: Extreme


@dataclass(frozen=True, slots=True)
class KindOfWeather:
    """How many days carry one label."""

    label: str
    days: int


@dataclass(frozen=True, slots=True)
class Kinds:
    """The record's labels, commonest first, and where they disagree with what was measured."""

    labels: list[KindOfWeather]
    sunny_but_wet_days: int
    wet_label_but_dry_days: int


def temperature_of(observations: Sequence[Observation]) -> Temperature:
    return Temperature(
        mean_high=_mean(each.high_celsius for each in observations),
        mean_low=_mean(each.low_celsius for each in observations),
        highest=_extreme(observations, max, lambda each: each.high_celsius),
        lowest=_extreme(observations, min, lambda each: each.low_celsius),
    )


def precipitation_of(observations: Sequence[Observation]) -> Precipitation:
    wet = [each for each in observations if each.precipitation_mm > 0]
    return Precipitation(
        total=_tenths(_sum(each.precipitation_mm for each in observations)),
        wet_days=len(wet),
        wettest=_extreme(wet, max, lambda each: each.precipitation_mm) if wet else None,
    )


def wind_of(observations: Sequence[Observation]) -> Wind:
    return Wind(
        mean=_mean(each.wind_metres_per_second for each in observations),
        windiest=_extreme(observations, max, lambda each: each.wind_metres_per_second),
        calmest=_extreme(observations, min, lambda each: each.wind_metres_per_second),
    )


def kinds_of(observations: Sequence[Observation]) -> Kinds:
    counted = Counter(each.kind for each in observations)
    by_frequency = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return Kinds(
        labels=[KindOfWeather(label, days) for label, days in by_frequency],
        sunny_but_wet_days=sum(
            each.kind == "sun" and each.precipitation_mm > 0 for each in observations
        ),
        wet_label_but_dry_days=sum(
            each.kind in _LABELS_OF_WET_DAYS and each.precipitation_mm == 0 for each in observations
        ),
    )


def _extreme(
    observations: Sequence[Observation],
    best: Callable[[Iterable[float]], float],
    measured: Callable[[Observation], float],
) -> Extreme:
    value = best(measured(each) for each in observations)
    return Extreme(value, [each.day for each in observations if measured(each) == value])


def _mean(values: Iterable[float]) -> float:
    counted = list(values)
    return _tenths(_sum(counted) / len(counted))


def _sum(values: Iterable[float]) -> Decimal:
    return sum((Decimal(str(value)) for value in values), Decimal(0))


def _tenths(value: Decimal) -> float:
    """Round to one decimal place, without a negative zero."""
    return float(value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)) + 0.0
