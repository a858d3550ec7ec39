"""The wording: a summary of the weather as a person would say it, units included."""

from collections.abc import Sequence
from dataclasses import dataclass

from .queries import Period, days_in_words
from .summary import Extreme, Kinds, Precipitation, Temperature, Wind

_MOST_DAYS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Weather:
    """All that is known of the weather in one period."""

    temperature: Temperature
    precipitation: Precipitation
    wind: Wind
    kinds: Kinds


def answer_in_words(place: str, period: Period, weather: Weather, origin: str) -> str:
    """Compose the answer: one paragraph, and the origin of the numbers."""
    where = f"{period.phrase[0].upper()}{period.phrase[1:]}, {place}"
    if period.first_day == period.last_day:
        sentences = _one_day(where, weather)
    else:
        sentences = [
            *_temperature(where, weather.temperature, period),
            *_precipitation(weather.precipitation, period),
            *_wind(weather.wind, period),
            *_kinds(weather.kinds),
        ]
    return f"{' '.join(sentences)}\nSource: {origin}."


def _one_day(where: str, weather: Weather) -> list[str]:
    temperature, precipitation, kinds = weather.temperature, weather.precipitation, weather.kinds
    sentences = [
        f"{where} had a high of {temperature.highest.value:.1f} °C "
        f"and a low of {temperature.lowest.value:.1f} °C.",
        f"{precipitation.total:.1f} mm of precipitation was measured."
        if precipitation.wet_days
        else "No precipitation was measured.",
        f"The wind averaged {weather.wind.mean:.1f} m/s.",
        f"The record labels the day {kinds.labels[0].label!r}.",
    ]
    if kinds.sunny_but_wet_days or kinds.wet_label_but_dry_days:
        sentences.append("Label and gauge disagree; both are given as recorded.")
    return sentences


def _temperature(where: str, temperature: Temperature, period: Period) -> list[str]:
    return [
        f"{where} had daily highs of {temperature.mean_high:.1f} °C "
        f"and lows of {temperature.mean_low:.1f} °C on average.",
        f"The highest temperature was {_extreme(temperature.highest, '°C', period)}; "
        f"the lowest was {_extreme(temperature.lowest, '°C', period)}.",
    ]


def _precipitation(precipitation: Precipitation, period: Period) -> list[str]:
    if precipitation.wettest is None:
        return ["No precipitation was measured."]
    if precipitation.wet_days == 1:
        return [
            "Precipitation was measured on one day only: "
            f"{_extreme(precipitation.wettest, 'mm', period)}."
        ]
    days = (period.last_day - period.first_day).days + 1
    return [
        f"{precipitation.total:.1f} mm of precipitation was measured, "
        f"on {precipitation.wet_days} of {days} days; "
        f"the most in a day was {_extreme(precipitation.wettest, 'mm', period)}."
    ]


def _wind(wind: Wind, period: Period) -> list[str]:
    return [
        f"The wind averaged {wind.mean:.1f} m/s; "
        f"the calmest day averaged {_extreme(wind.calmest, 'm/s', period)}, "
        f"and the windiest {_extreme(wind.windiest, 'm/s', period)}."
    ]


def _kinds(kinds: Kinds) -> list[str]:
    labels = _listed([f"{_days(kind.days)} {kind.label!r}" for kind in kinds.labels])
    sentences = [f"The record labels {labels}."]
    disagreements = []
    if kinds.sunny_but_wet_days:
        disagreements.append(f"{_days(kinds.sunny_but_wet_days)} labelled 'sun' had precipitation")
    if kinds.wet_label_but_dry_days:
        disagreements.append(
            f"{_days(kinds.wet_label_but_dry_days)} labelled as wet had none measured"
        )
    if disagreements:
        sentences.append(f"Labels and gauge do not always agree: {_listed(disagreements)}.")
    return sentences


def _extreme(extreme: Extreme, unit: str, period: Period) -> str:
    """Say a value and its days, or the first of them where they are many."""
    days = [days_in_words(day, day) for day in extreme.days]
    if period.first_day.year == period.last_day.year:
        days = [day.removesuffix(f" {period.first_day.year}") for day in days]
    value = f"{extreme.value:.1f} {unit}"
    if len(days) > _MOST_DAYS_NAMED:
        return f"{value}, on {len(days)} days, first on {days[0]}"
    return f"{value}, on {_listed(days)}"


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
