import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from examples.weather import record
from examples.weather.record import (
    FIRST_DAY,
    LAST_DAY,
    NotCovered,
    Observation,
    RecordUnavailable,
    observations_between,
    source_for,
)

HEADER = "date,precipitation,temp_max,temp_min,wind,weather\n"


def test_the_record_has_every_day_it_claims() -> None:
    observations = observations_between(FIRST_DAY, LAST_DAY)
    assert len(observations) == 4 * 365 + 1
    assert {each.kind for each in observations} == {"drizzle", "fog", "rain", "snow", "sun"}
    assert all(each.low_celsius <= each.high_celsius for each in observations)
    assert all(each.precipitation_mm >= 0 for each in observations)


def test_it_ends_where_it_says() -> None:
    with pytest.raises(RecordUnavailable, match="does not have each day"):
        observations_between(LAST_DAY, LAST_DAY + timedelta(1))


def test_one_day_is_read_as_observed() -> None:
    day = date(2012, 12, 24)
    assert observations_between(day, day) == [Observation(day, 0.3, 5.6, 2.8, 2.8, "rain")]


def test_reading_imports_neither_pandas_nor_the_package() -> None:
    program = (
        "import sys, datetime\n"
        "from examples.weather.record import FIRST_DAY, observations_between, source_for\n"
        "source_for('Seattle', FIRST_DAY, FIRST_DAY)\n"
        "observations_between(FIRST_DAY, FIRST_DAY)\n"
        "sys.exit(bool({'pandas', 'numpy', 'vega_datasets'} & set(sys.modules)))\n"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    "place", ["Seattle", "seattle", "SEATTLE WA", "Seattle, Washington, USA", "the City of Seattle"]
)
def test_the_place_has_several_names(place: str) -> None:
    source = source_for(place, FIRST_DAY, LAST_DAY)
    assert source.place == "Seattle"
    assert source.origin.startswith("daily observations of NOAA, from vega-datasets ")


@pytest.mark.parametrize(
    ("place", "first", "last", "problem"),
    [
        ("Portland", FIRST_DAY, LAST_DAY, "no observations of 'Portland'"),
        ("near Seattle", FIRST_DAY, LAST_DAY, "no observations of 'near Seattle'"),
        ("Seattle", date(2011, 12, 31), date(2011, 12, 31), "2011-12-31 is outside"),
        ("Seattle", date(2016, 1, 1), date(2016, 12, 31), "2016-01-01 to 2016-12-31 is outside"),
        ("Seattle", date(2011, 12, 1), date(2012, 2, 29), "is partly outside"),
        ("Seattle", date(2011, 1, 1), date(2016, 1, 1), "is partly outside"),
    ],
)
def test_what_is_not_covered_is_refused_with_what_is(
    place: str, first: date, last: date, problem: str
) -> None:
    with pytest.raises(NotCovered) as refused:
        source_for(place, first, last)
    assert problem in str(refused.value)
    assert "Seattle from 2012-01-01 to 2015-12-31" in str(refused.value)


class InstalledAt:
    """A distribution whose file of observations is another one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def locate_file(self, _: str) -> Path:
        return self._path


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put another text in place of the record."""

    def write(text: str) -> None:
        path = tmp_path / "record.csv"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(record, "_distribution", lambda: InstalledAt(path))

    return write


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER + "2012/01/01,wet,12.8,5.0,4.7,rain\n", "Line 2 of the observations is damaged"),
        (HEADER + "2012/13/01,0.0,12.8,5.0,4.7,rain\n", "Line 2 of the observations is damaged"),
        (HEADER + "2012/01/01,0.0,12.8\n", "Line 2 of the observations is damaged"),
        (HEADER + "2012/01/01,0.0,12.8,5.0,4.7,caf\u00e9\n", "observations"),
        ("day,rain\n2012/01/01,0.0\n", "Line 2 of the observations is damaged"),
        (HEADER, "does not have each day of 2012-01-01 to 2012-01-01"),
    ],
)
def test_a_damaged_record_is_no_answer(
    recorded: Callable[[str], None], text: str, problem: str
) -> None:
    recorded(text)
    with pytest.raises(RecordUnavailable, match=problem):
        observations_between(FIRST_DAY, FIRST_DAY)


def test_a_missing_file_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(record, "_distribution", lambda: InstalledAt(tmp_path / "none.csv"))
    with pytest.raises(RecordUnavailable, match="cannot be read"):
        observations_between(FIRST_DAY, FIRST_DAY)


def test_a_missing_package_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", not_installed)
    with pytest.raises(RecordUnavailable, match="pip install vega-datasets"):
        source_for("Seattle", FIRST_DAY, LAST_DAY)
