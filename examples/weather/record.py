"""The record: what was observed in Seattle, day by day, from 2012 to 2015.

The observations are NOAA's, as the package vega-datasets ships them: one line a day, without gaps.
Precipitation includes melted snow; wind is the average speed of the day; the kind of weather is
one label a day, and does not always agree with the gauge.
"""

import csv
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

PLACE = "Seattle"
FIRST_DAY = date(2012, 1, 1)
LAST_DAY = date(2015, 12, 31)
COVERAGE = f"the record covers {PLACE} from {FIRST_DAY} to {LAST_DAY}"

_PACKAGE = "vega-datasets"
_FILE = "vega_datasets/_data/seattle-weather.csv"
_NAMES = frozenset(
    place + state + country
    for place in ("seattle", "city of seattle", "the city of seattle")
    for state in ("", " wa", " washington", " washington state")
    for country in ("", " us", " usa", " united states")
)


class NotCovered(LookupError):
    """The place or the days asked for are outside the record."""


class RecordUnavailable(RuntimeError):
    """The file of observations is missing, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One day."""

    day: date
    precipitation_mm: float
    high_celsius: float
    low_celsius: float
    wind_metres_per_second: float
    kind: str


@dataclass(frozen=True, slots=True)
class Source:
    """Which record answers: the place by its proper name, and where the observations are from."""

    place: str
    origin: str


def source_for(place: str, first_day: date, last_day: date) -> Source:
    """Choose the record for a place that has every day from the first to the last.

    Raises NotCovered, naming what is covered; RecordUnavailable where there is no such file.
    """
    if " ".join(place.casefold().replace(",", " ").replace(".", "").split()) not in _NAMES:
        raise NotCovered(f"There are no observations of {place!r}: {COVERAGE}.")
    if first_day < FIRST_DAY or last_day > LAST_DAY:
        asked = f"{first_day}" if first_day == last_day else f"{first_day} to {last_day}"
        outside = "is" if last_day < FIRST_DAY or first_day > LAST_DAY else "is partly"
        raise NotCovered(f"{asked} {outside} outside the observations: {COVERAGE}.")
    version = _distribution().version
    return Source(PLACE, f"daily observations of NOAA, from {_PACKAGE} {version}")


def observations_between(first_day: date, last_day: date) -> list[Observation]:
    """Read every day from the first to the last, both included, in order.

    Raises RecordUnavailable where the file is missing, damaged or lacks one of the days.
    """
    path = Path(str(_distribution().locate_file(_FILE)))
    try:
        with path.open(encoding="ascii", newline="") as lines:
            observations = [each for each in _parsed(lines) if first_day <= each.day <= last_day]
    except OSError as error:
        raise RecordUnavailable(f"The observations cannot be read: {error}") from error
    days = (last_day - first_day).days + 1
    if [each.day for each in observations] != [first_day + timedelta(n) for n in range(days)]:
        raise RecordUnavailable(f"{path.name} does not have each day of {first_day} to {last_day}.")
    return observations


def _distribution() -> importlib.metadata.Distribution:
    """Find the package by its metadata: importing it would import pandas."""
    try:
        return importlib.metadata.distribution(_PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise RecordUnavailable(
            f"The observations come with the package {_PACKAGE}: pip install {_PACKAGE}"
        ) from error


def _parsed(lines: Iterable[str]) -> Iterable[Observation]:
    rows = csv.DictReader(lines, strict=True)
    try:
        for row in rows:
            yield Observation(
                day=date.fromisoformat(row["date"].replace("/", "-")),
                precipitation_mm=float(row["precipitation"]),
                high_celsius=float(row["temp_max"]),
                low_celsius=float(row["temp_min"]),
                wind_metres_per_second=float(row["wind"]),
                kind=row["weather"],
            )
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise RecordUnavailable(
            f"Line {rows.line_num} of the observations is damaged: {error}"
        ) from error
