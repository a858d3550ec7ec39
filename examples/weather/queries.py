"""Understanding a query: which place it asks about, and which days.

A period is one day, a month, a season, a year or a range, in numbers (`2012-12-24`, `2012-12`) or
in English (`24 December 2012`, `December 24th, 2012`, `summer of 2014`, `1 to 10 June 2012`). What
could be meant in two ways is refused, not guessed.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from .record import COVERAGE, PLACE

LONGEST_QUERY = 300
"""In characters."""

_HINT = f'Ask for example "What was the weather in {PLACE} in July 2014?"; {COVERAGE}.'

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The first month of each: a meteorological season is three whole months."""

_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)}|{'|'.join(name[:3] for name in _MONTHS)}|sept)\\.?"
_YEAR = r"(?P<year>\d{4})"
_OF_YEAR = rf"(?:,?\s+(?:of\s+)?{_YEAR})?"

# Each form names its parts; the more specific come first.
_FORMS = (
    rf"{_YEAR}[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})",
    rf"{_YEAR}-(?P<month>\d{{1,2}})",
    rf"{_DAY}\s+(?:of\s+)?{_MONTH}{_OF_YEAR}",
    rf"{_MONTH}\s+(?:the\s+)?{_DAY}{_OF_YEAR}",
    rf"(?P<season>{'|'.join(_SEASONS)})\s+(?:of\s+)?{_YEAR}(?:[-/](?P<until>\d{{4}}|\d{{2}}))?",
    rf"{_MONTH}{_OF_YEAR}",
    _YEAR,
)
# ASCII only: some letters beyond it match "i" or "s" where case is ignored.
_FLAGS = re.IGNORECASE | re.ASCII
_START = r"(?<![\w/-])"
_END = r"(?!\w|[-/]\d)"
_MOMENT = re.sub(r"\?P<\w+>", "?:", "|".join(_FORMS))
_TO = r"\s+(?:to|until|till|through)\s+|\s*[\u2013\u2014]\s*|\s+-\s+"
_BETWEEN_YEARS = r"(?<=\d{4})-(?=\d{4}(?![-/\d]))"
_DAYS = rf"(?P<first>\d{{1,2}})(?:st|nd|rd|th)?(?:{_TO}|-)(?P<last>\d{{1,2}})(?:st|nd|rd|th)?"


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(f"{_START}(?:{expression}){_END}", _FLAGS)


_RANGES = (
    _pattern(rf"between\s+(?P<first>{_MOMENT})\s+and\s+(?P<last>{_MOMENT})"),
    _pattern(rf"(?P<first>{_MOMENT})(?:{_TO}|{_BETWEEN_YEARS})(?P<last>{_MOMENT})"),
)
_RANGES_WITHIN_A_MONTH = (
    _pattern(rf"{_DAYS}\s+(?:of\s+)?{_MONTH}{_OF_YEAR}"),
    _pattern(rf"{_MONTH}\s+{_DAYS}{_OF_YEAR}"),
)
_MOMENTS = _pattern(_MOMENT)
_NUMBERS_IN_UNKNOWN_ORDER = re.compile(r"(?<![\d/.-])\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(?!\d)", _FLAGS)

_BEFORE_A_PLACE = frozenset({"about", "at", "for", "in", "of"})
_WITHIN_PLACES = frozenset({"and", "city", "or", "the"})
_OTHER_WORDS = frozenset(
    """
    a all also an any are be been between blew blow can climate cold cool could day days did do does
    dry during entire ever fall fell fog foggy from get give got had have high highs hot how i is it
    kind kinds know last like look low lows many may me mean month months much observations observed
    often on over please precipitation rain rainfall rained rainy record report season show snow
    snowed snowfall snowy sort sorts summarise summarize summary sun sunny tell temperature
    temperatures that there this throughout to us warm was weather were wet what whats whole wind
    winds windy would year years you
    """.split()  # noqa: SIM905 - a list of these would fill a page
)
_KNOWN_WORDS = _BEFORE_A_PLACE | _WITHIN_PLACES | _OTHER_WORDS


class QueryNotUnderstood(ValueError):
    """The query does not say, or not clearly, which place or which days it asks about."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} {_HINT}")


@dataclass(frozen=True, slots=True)
class Period:
    """The days from the first to the last, both included, and how English says so."""

    first_day: date
    last_day: date
    phrase: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a query asks for; the place is as it was written."""

    place: str
    period: Period


def parse_query(query: str) -> Request:
    """Find the one place and the one period that a query names.

    Raises QueryNotUnderstood, which says what is missing or unclear, and what can be asked.
    """
    if len(query) > LONGEST_QUERY:
        raise QueryNotUnderstood(f"The query is longer than {LONGEST_QUERY} characters.")
    text = " ".join(query.split())
    if unclear := _NUMBERS_IN_UNKNOWN_ORDER.search(text):
        raise QueryNotUnderstood(
            f"{unclear[0]!r} may be read in several ways: write 2012-12-24 or 24 December 2012."
        )
    periods, rest = _cut_periods(text)
    if not periods:
        raise QueryNotUnderstood(f"{query!r} names no day, month, season, year or range of days.")
    if len(periods) > 1:
        asked = ", ".join(period.phrase for period in periods)
        raise QueryNotUnderstood(f"{query!r} names more than one period: {asked}.")
    places, unexplained = _places(rest)
    if places and unexplained:
        raise QueryNotUnderstood(f"{query!r} is not clear: what is {', '.join(unexplained)!r}?")
    match places or unexplained:
        case []:
            raise QueryNotUnderstood(f"{query!r} names no place.")
        case [place]:
            return Request(place, periods[0])
        case several:
            raise QueryNotUnderstood(f"{query!r} names more than one place: {', '.join(several)}.")


def days_in_words(first_day: date, last_day: date) -> str:
    """Say a range as English does: `1 to 10 June 2012`, `30 May to 2 June 2012`."""
    last = f"{last_day.day} {_MONTHS[last_day.month - 1]} {last_day.year}"
    if first_day == last_day:
        return last
    first = f"{first_day.day}"
    if (first_day.year, first_day.month) != (last_day.year, last_day.month):
        first += f" {_MONTHS[first_day.month - 1]}"
    if first_day.year != last_day.year:
        first += f" {first_day.year}"
    return f"{first} to {last}"


def _cut_periods(text: str) -> tuple[list[Period], str]:
    """Take every period out of the text, ranges first; answer them and what is left."""
    periods: list[Period] = []

    def cut_range(found: re.Match[str]) -> str:
        first, last = _parts(found["first"]), _parts(found["last"])
        year = first.get("year") or last.get("year") or ""
        periods.append(_range(_period({"year": year} | first), _period({"year": year} | last)))
        return " "

    def cut_range_within_a_month(found: re.Match[str]) -> str:
        parts = {name: found[name] for name in ("month", "year") if found[name]}
        ends = [_period(parts | {"day": found[name]}) for name in ("first", "last")]
        periods.append(_range(*ends))
        return " "

    def cut_moment(found: re.Match[str]) -> str:
        if found[0].casefold() != "may":  # far likelier the verb, as in "May I know ..."
            periods.append(_period(_parts(found[0])))
        return " "

    for pattern in _RANGES:
        text = pattern.sub(cut_range, text)
    for pattern in _RANGES_WITHIN_A_MONTH:
        text = pattern.sub(cut_range_within_a_month, text)
    return periods, _MOMENTS.sub(cut_moment, text)


def _parts(moment: str) -> dict[str, str]:
    """Name the parts of a moment: some of year, month, day, season, until."""
    for form in _FORMS:
        if found := re.fullmatch(form, moment, _FLAGS):
            return {name: part for name, part in found.groupdict().items() if part}
    raise AssertionError(f"{moment!r} has none of the forms")


def _period(parts: dict[str, str]) -> Period:
    year = parts.get("year")
    if not year:
        yearless = f"{parts.get('day', '')} {parts['month']}".strip()
        raise QueryNotUnderstood(f"Which year is meant by {yearless!r}?")
    if "season" in parts:
        return _season(parts["season"].casefold(), int(year), parts.get("until"))
    if "month" not in parts:
        return Period(_day(int(year), 1, 1), _day(int(year), 12, 31), f"in {year}")
    month = _month(parts["month"])
    if "day" in parts:
        day = _day(int(year), month, int(parts["day"]))
        return Period(day, day, f"on {days_in_words(day, day)}")
    first_day = _day(int(year), month, 1)
    return Period(first_day, _last_day_of_month(first_day), f"in {_MONTHS[month - 1]} {year}")


def _range(first: Period, last: Period) -> Period:
    if first.first_day > last.last_day:
        raise QueryNotUnderstood(
            f"The range ends before it begins: {first.first_day} to {last.last_day}."
        )
    words = days_in_words(first.first_day, last.last_day)
    preposition = "on" if first.first_day == last.last_day else "from"
    return Period(first.first_day, last.last_day, f"{preposition} {words}")


def _season(name: str, year: int, until: str | None) -> Period:
    """A winter belongs to the year of its January, unless it is given as 2012-13."""
    if until is not None and (name != "winter" or int(until) not in {year + 1, (year + 1) % 100}):
        raise QueryNotUnderstood(f"There is no {name} {year}-{until}.")
    begins = year - 1 if name == "winter" and until is None else year
    month = _SEASONS[name]
    first_day = _day(begins, month, 1)
    last_day = _last_day_of_month(_day(begins + month // 12, (month + 1) % 12 + 1, 1))
    first_month, last_month = (_MONTHS[each.month - 1] for each in (first_day, last_day))
    if name == "winter":
        called = f"{begins}-{last_day.year % 100:02}"
        return Period(
            first_day,
            last_day,
            f"in winter {called} ({first_month} {begins} to {last_month} {last_day.year})",
        )
    return Period(first_day, last_day, f"in {name} {year} ({first_month} to {last_month})")


def _month(part: str) -> int:
    if part.isdecimal():
        return int(part)
    abbreviations = [name[:3].casefold() for name in _MONTHS]
    return abbreviations.index(part[:3].casefold()) + 1


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise QueryNotUnderstood(
            f"The calendar has no day {year:04}-{month:02}-{day:02}."
        ) from error


def _last_day_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _places(text: str) -> tuple[list[str], list[str]]:
    """Find the names that follow "in" and the like, and the words that nothing explains."""
    places: list[str] = []
    unexplained: list[str] = []
    found = unexplained
    name: list[str] = []
    for word in re.findall(r"[^\W_][\w.'\u2019-]*", text):
        plain = re.sub(r"['\u2019]s$|[.'\u2019-]+$", "", word)
        known = {word.casefold(), plain.casefold()}
        if known.isdisjoint(_KNOWN_WORDS):
            name.append(plain)
            continue
        if name:
            found.append(" ".join(name))
            name = []
        if known & _BEFORE_A_PLACE:
            found = places
        elif known.isdisjoint(_WITHIN_PLACES):
            found = unexplained
    if name:
        found.append(" ".join(name))
    return places, unexplained
