from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.weather.queries import (
    LONGEST_QUERY,
    Period,
    QueryNotUnderstood,
    Request,
    days_in_words,
    parse_query,
)

DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))

JULY_2014 = Period(date(2014, 7, 1), date(2014, 7, 31), "in July 2014")
CHRISTMAS_EVE = Period(date(2012, 12, 24), date(2012, 12, 24), "on 24 December 2012")
TEN_DAYS = Period(date(2012, 6, 1), date(2012, 6, 10), "from 1 to 10 June 2012")
TWO_YEARS = Period(date(2012, 1, 1), date(2013, 12, 31), "from 1 January 2012 to 31 December 2013")
A_WINTER = Period(
    date(2012, 12, 1),
    date(2013, 2, 28),
    "in winter 2012-13 (December 2012 to February 2013)",
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("on 2012-12-24", CHRISTMAS_EVE),
        ("on 2012/12/24", CHRISTMAS_EVE),
        ("on 24 December 2012", CHRISTMAS_EVE),
        ("on the 24th of December, 2012", CHRISTMAS_EVE),
        ("on December 24, 2012", CHRISTMAS_EVE),
        ("on Dec. 24th 2012", CHRISTMAS_EVE),
        ("on december the 24th 2012", CHRISTMAS_EVE),
        ("from 2012-12-24 to 2012-12-24", CHRISTMAS_EVE),
        ("in July 2014", JULY_2014),
        ("in JULY of 2014", JULY_2014),
        ("in Jul 2014", JULY_2014),
        ("during the month of July, 2014", JULY_2014),
        ("in 2014-07", JULY_2014),
        ("in Sept 2015", Period(date(2015, 9, 1), date(2015, 9, 30), "in September 2015")),
        ("in Feb 2012", Period(date(2012, 2, 1), date(2012, 2, 29), "in February 2012")),
        ("in 2013", Period(date(2013, 1, 1), date(2013, 12, 31), "in 2013")),
        ("from 2012-06-01 to 2012-06-10", TEN_DAYS),
        ("from 2012-06-01 until June 10th, 2012", TEN_DAYS),
        ("from 1 June to 10 June 2012", TEN_DAYS),
        ("from 1 June 2012 to 10 June", TEN_DAYS),
        ("between June 1 and June 10, 2012", TEN_DAYS),
        ("from 1 to 10 June 2012", TEN_DAYS),
        ("on 1-10 June 2012", TEN_DAYS),
        ("on June 1\u201310, 2012", TEN_DAYS),
        ("2012-06-01 - 2012-06-10", TEN_DAYS),
        ("from 2012 to 2013", TWO_YEARS),
        ("in 2012-2013", TWO_YEARS),
        ("in 2012 \u2013 2013", TWO_YEARS),
        (
            "from June to August 2013",
            Period(date(2013, 6, 1), date(2013, 8, 31), "from 1 June to 31 August 2013"),
        ),
        (
            "in the summer of 2014",
            Period(date(2014, 6, 1), date(2014, 8, 31), "in summer 2014 (June to August)"),
        ),
        (
            "in fall 2014",
            Period(date(2014, 9, 1), date(2014, 11, 30), "in fall 2014 (September to November)"),
        ),
        ("in winter 2013", A_WINTER),
        ("in winter 2012-13", A_WINTER),
        ("in the winter of 2012/2013", A_WINTER),
    ],
)
def test_a_period_is_understood_wherever_it_stands(said: str, meant: Period) -> None:
    assert parse_query(f"What was the weather in Seattle {said}?") == Request("Seattle", meant)
    assert parse_query(f"{said}, what was the weather like in Seattle?").period == meant
    assert parse_query(f"Seattle {said}").period == meant


@given(DAYS)
def test_every_day_is_understood_in_every_style(day: date) -> None:
    month = f"{day:%B}"
    for written in (
        day.isoformat(),
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month[:3].upper()} {day.year}",
        f"the {day.day}th of {month.lower()} {day.year}",
    ):
        request = parse_query(f"What was the weather in Seattle on {written}?")
        assert (request.period.first_day, request.period.last_day) == (day, day)


@given(DAYS, st.integers(0, 1500))
def test_a_range_in_words_is_understood_as_the_range_it_was(first: date, length: int) -> None:
    last = min(date.max - timedelta(length), first) + timedelta(length)
    first = last - timedelta(length)
    words = days_in_words(first, last)
    period = parse_query(f"weather in Seattle from {words}").period
    assert (period.first_day, period.last_day) == (first, last)
    assert words in period.phrase


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("What was the weather in Seattle in July 2014?", "Seattle"),
        ("What was the weather like in the city of Seattle like in July 2014, please?", "Seattle"),
        ("weather seattle july 2014", "seattle"),
        ("Seattle's weather in July 2014", "Seattle"),
        ("How hot was Seattle in July 2014?", "Seattle"),
        ("Seattle, WA: July 2014", "Seattle WA"),
        ("May I know the weather in Seattle in July 2014?", "Seattle"),
        ("What was the weather in New York in July 2014?", "New York"),
        ("How much did it rain at St. Louis in July 2014", "St Louis"),
        ("weather near Seattle in July 2014", "near Seattle"),
    ],
)
def test_a_place_is_found(query: str, place: str) -> None:
    assert parse_query(query) == Request(place, JULY_2014)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "names no day, month, season, year or range"),
        ("asdf", "names no day, month, season, year or range"),
        ("What was the weather in Seattle yesterday?", "names no day"),
        ("Seattle on 2012-123", "names no day"),
        ("What was the weather in July 2014?", "names no place"),
        ("weather in Seattle in July", "Which year is meant by 'July'?"),
        ("weather in Seattle on 3 July", "Which year is meant by '3 July'?"),
        ("weather in Seattle from June to July", "Which year is meant by 'June'?"),
        ("weather in Seattle in July and August 2014", "Which year is meant by 'July'?"),
        (
            "weather in Seattle in July 2014 and in 2013",
            "names more than one period: in July 2014, in 2013",
        ),
        ("weather in Seattle and Portland in 2013", "more than one place: Seattle, Portland"),
        ("Did it snow in Seattle on Christmas 2012?", "what is 'Christmas'?"),
        ("weather in Seattle on 12/24/2012", "'12/24/2012' may be read in several ways"),
        ("weather in Seattle on 01.02.13", "'01.02.13' may be read in several ways"),
        ("weather in Seattle on 2014-02-30", "has no day 2014-02-30"),
        ("weather in Seattle on 31 June 2014", "has no day 2014-06-31"),
        ("weather in Seattle in 2014-13", "has no day 2014-13-01"),
        ("weather in Seattle in 0000", "has no day 0000-01-01"),
        ("weather in Seattle from 10 June to 1 June 2014", "ends before it begins"),
        ("weather in Seattle from December to February 2013", "ends before it begins"),
        ("weather in Seattle in winter 2012-14", "There is no winter 2012-14"),
        ("weather in Seattle in summer 2012-13", "There is no summer 2012-13"),
        ("Seattle 2012" + " " * LONGEST_QUERY, f"longer than {LONGEST_QUERY} characters"),
    ],
)
def test_what_is_unclear_is_refused_and_said(query: str, problem: str) -> None:
    with pytest.raises(QueryNotUnderstood) as refused:
        parse_query(query)
    assert problem in str(refused.value)
    assert "Seattle from 2012-01-01 to 2015-12-31" in str(refused.value)


WORDS = st.one_of(
    st.sampled_from(
        ["in", "on", "from", "between", "to", "and", "of", "the", "what", "-", "\u2013"]
    ),
    st.sampled_from(["Seattle", "Portland", "May", "July", "winter", "w\u0131nter", ",", ".", "'"]),
    st.sampled_from(["1", "31", "24th", "2012", "9999", "12/24/2012", "\u0662\u0660\u0661\u0662"]),
    st.sampled_from(["2014-07", "2012-12-24", "2012-13", "2012-2013"]),
)


@given(st.one_of(st.text(max_size=LONGEST_QUERY), st.lists(WORDS).map(" ".join)))
def test_any_text_is_understood_or_refused(query: str) -> None:
    try:
        request = parse_query(query)
    except QueryNotUnderstood:
        return
    assert request.place
    assert request.period.first_day <= request.period.last_day
