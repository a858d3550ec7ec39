"""The workflow `weather`: understand a query, read the record, summarise it, and answer.

Each step is a task: once its outcome is recorded it is never run again, whatever happens to the
server. What a query gets wrong fails the execution with an error that says what can be asked.
"""

import logging
from dataclasses import dataclass
from datetime import date

from perdure import gather, sleep, task, workflow

from .answers import Weather, answer_in_words
from .queries import Period, Request, parse_query
from .record import Observation, Source, observations_between, source_for
from .summary import (
    Kinds,
    Precipitation,
    Temperature,
    Wind,
    kinds_of,
    precipitation_of,
    temperature_of,
    wind_of,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer in words, and what it rests on: °C, mm and m/s."""

    text: str
    place: str
    first_day: date
    last_day: date
    weather: Weather
    origin: str


@task(timeout="10s")
async def parse(query: str) -> Request:
    request = parse_query(query)
    log.info("asked about %s, %s", request.place, request.period.phrase)
    return request


@task(timeout="10s")
async def find_source(request: Request) -> Source:
    source = source_for(request.place, request.period.first_day, request.period.last_day)
    log.info("answering for %s from %s", source.place, source.origin)
    return source


@task(retries=3, timeout="30s")
def read_observations(period: Period) -> list[Observation]:
    """A plain function, because it reads a file: it runs in a thread."""
    observations = observations_between(period.first_day, period.last_day)
    log.info("read %d daily observations", len(observations))
    return observations


@task(timeout="10s")
async def summarise_temperature(observations: list[Observation]) -> Temperature:
    temperature = temperature_of(observations)
    log.info(
        "temperature: from %.1f to %.1f °C", temperature.lowest.value, temperature.highest.value
    )
    return temperature


@task(timeout="10s")
async def summarise_precipitation(observations: list[Observation]) -> Precipitation:
    precipitation = precipitation_of(observations)
    log.info("precipitation: %.1f mm, wet days: %d", precipitation.total, precipitation.wet_days)
    return precipitation


@task(timeout="10s")
async def summarise_wind(observations: list[Observation]) -> Wind:
    wind = wind_of(observations)
    log.info("wind: %.1f m/s on average", wind.mean)
    return wind


@task(timeout="10s")
async def summarise_kinds(observations: list[Observation]) -> Kinds:
    kinds = kinds_of(observations)
    if kinds.sunny_but_wet_days or kinds.wet_label_but_dry_days:
        log.warning(
            "days whose label disagrees with the gauge: %d",
            kinds.sunny_but_wet_days + kinds.wet_label_but_dry_days,
        )
    log.info("labels: %s", ", ".join(f"{kind.label} {kind.days}" for kind in kinds.labels))
    return kinds


@task(timeout="10s")
async def compose(place: str, period: Period, weather: Weather, origin: str) -> str:
    text = answer_in_words(place, period, weather, origin)
    log.info("composed an answer of %d words", len(text.split()))
    return text


@workflow(id="weather")
async def weather(query: str, pace: str = "0s") -> Answer:
    """Answer a question such as "What was the weather in Seattle in July 2014?".

    `pace` is a durable pause between the steps. The work needs none: it makes a run slow enough
    to be watched, and interrupted.
    """
    request = await parse(query)
    await sleep(pace)
    source = await find_source(request)
    await sleep(pace)
    observations = await read_observations(request.period)
    await sleep(pace)
    temperature, precipitation, wind, kinds = await gather(
        summarise_temperature(observations),
        summarise_precipitation(observations),
        summarise_wind(observations),
        summarise_kinds(observations),
    )
    summary = Weather(temperature, precipitation, wind, kinds)
    await sleep(pace)
    text = await compose(source.place, request.period, summary, source.origin)
    log.info("answered: %s", query)
    return Answer(
        text=text,
        place=source.place,
        first_day=request.period.first_day,
        last_day=request.period.last_day,
        weather=summary,
        origin=source.origin,
    )
