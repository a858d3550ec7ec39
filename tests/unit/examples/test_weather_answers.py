from datetime import date, timedelta

import pytest

from examples.weather.answers import Weather, answer_in_words
from examples.weather.queries import parse_query
from examples.weather.record import Observation, observations_between
from examples.weather.summary import kinds_of, precipitation_of, temperature_of, wind_of


def weather_of(observations: list[Observation]) -> Weather:
    return Weather(
        temperature_of(observations),
        precipitation_of(observations),
        wind_of(observations),
        kinds_of(observations),
    )


def answer(query: str) -> str:
    period = parse_query(query).period
    observations = observations_between(period.first_day, period.last_day)
    return answer_in_words("Seattle", period, weather_of(observations), "the record")


def test_a_month() -> None:
    assert answer("What was the weather in Seattle in July 2014?") == (
        "In July 2014, Seattle had daily highs of 26.9 °C and lows of 14.4 °C on average. "
        "The highest temperature was 34.4 °C, on 1 July; the lowest was 11.7 °C, on 18 July. "
        "19.6 mm of precipitation was measured, on 2 of 31 days; "
        "the most in a day was 19.3 mm, on 23 July. "
        "The wind averaged 3.1 m/s; the calmest day averaged 1.1 m/s, on 22 July, "
        "and the windiest 5.4 m/s, on 19 July. "
        "The record labels 25 days 'sun', 5 days 'fog' and 1 day 'rain'. "
        "Labels and gauge do not always agree: "
        "1 day labelled 'sun' had precipitation and 1 day labelled as wet had none measured.\n"
        "Source: the record."
    )


def test_a_day() -> None:
    assert answer("What was the weather in Seattle on 2012-12-24?") == (
        "On 24 December 2012, Seattle had a high of 5.6 °C and a low of 2.8 °C. "
        "0.3 mm of precipitation was measured. The wind averaged 2.8 m/s. "
        "The record labels the day 'rain'.\n"
        "Source: the record."
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Seattle on 2014-07-13", "Label and gauge disagree; both are given as recorded."),
        ("Seattle on 2014-07-13", "No precipitation was measured."),
        ("Seattle from 1 to 10 July 2014", "No precipitation was measured."),
        (
            "Seattle from 23 to 31 July 2014",
            "Precipitation was measured on one day only: 19.3 mm, on 23 July.",
        ),
        ("Seattle in winter 2012-13", "13.3 °C, on 1 December 2012 and 15 February 2013"),
        ("Seattle in winter 2012-13", "the lowest was -4.4 °C, on 13 January 2013"),
    ],
)
def test_what_is_said_of_other_weather(query: str, said: str) -> None:
    assert said in answer(query)


def test_many_days_with_the_same_extreme_are_counted() -> None:
    period = parse_query("Seattle, 1 to 4 July 2014").period
    observations = [
        Observation(period.first_day + timedelta(number), 0.0, 20.0, 10.0, 3.0, "sun")
        for number in range(4)
    ]
    text = answer_in_words("Seattle", period, weather_of(observations), "a test")
    assert "The highest temperature was 20.0 °C, on 4 days, first on 1 July;" in text
    assert text.splitlines()[0].endswith("The record labels 4 days 'sun'.")


def test_a_period_of_any_length_is_answered() -> None:
    first = date(2012, 1, 1)
    for days in (5, 31, 366, 1461):
        last = first + timedelta(days - 1)
        assert f"of {days} days" in answer(f"Seattle from {first} to {last}")
