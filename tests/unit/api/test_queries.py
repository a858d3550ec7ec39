"""How query parameters are read: once or repeatedly, as texts, numbers and times."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType
from starlette.types import Message

from perdure.api.incoming import Incoming
from perdure.api.problems import RequestError
from perdure.api.queries import Moment, Query, kinds_of
from perdure.api.requests import Request
from perdure.model.status import Status
from tests.unit.api.fakes import FakeRuntime, StoppedClock


class Sample(Query, frozen=True, kw_only=True):
    status: Annotated[tuple[Status, ...], Meta(max_length=3)] = ()
    level: tuple[Literal["INFO", "ERROR"], ...] = ()
    name: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    since: Moment | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=9)] = 5
    total: bool = False


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def read(text: str) -> Sample:
    request = Request(
        {"type": "http", "query_string": text.encode()},
        Incoming(_nothing, {}),
        headers={},
        parameters={},
        caller=None,
        runtime=FakeRuntime(),
        clock=StoppedClock(),
    )
    return request.query(Sample)


def complaints(text: str) -> list[tuple[str, str]]:
    with pytest.raises(RequestError) as refused:
        read(text)
    assert refused.value.code == "invalid_request"
    return [(problem.location, problem.message) for problem in refused.value.errors]


def test_a_tuple_takes_all_that_is_given_in_order() -> None:
    assert read("status=failed&limit=2&status=running&status=failed").status == (
        Status.FAILED,
        Status.RUNNING,
        Status.FAILED,
    )
    assert read("level=ERROR").level == ("ERROR",)
    assert read("") == Sample()


def test_a_field_of_another_type_is_given_once() -> None:
    assert complaints("name=a&name=a&limit=1&limit=2&name=b") == [
        ("?name", "is given more than once"),
        ("?limit", "is given more than once"),
    ]


def test_numbers_and_booleans_are_written_as_in_json() -> None:
    assert read("limit=7&total=true") == Sample(limit=7, total=True)
    assert read("name=7").name == "7"
    assert read("name=null").name == "null"
    assert complaints("limit=null") == [("?limit", "Expected `int`, got `str`")]
    assert complaints("total=") == [("?total", "Expected `bool`, got `str`")]


def test_times_have_a_zone() -> None:
    assert read("since=2026-02-23T16:30:00.5Z").since == datetime(
        2026, 2, 23, 16, 30, 0, 500_000, UTC
    )
    assert read("since=2026-02-23T17:30:00%2B01:00").since == datetime(
        2026, 2, 23, 16, 30, tzinfo=UTC
    )
    ((location, message),) = complaints("since=2026-02-23T16:30:00")
    assert (location, message.startswith("has no zone")) == ("?since", True)


@pytest.mark.parametrize(
    "text", ["1771864200", "1.5", "null", "", "2026-02-23", "2026-02-23T17:30:00+01:00", "now"]
)
def test_other_times_are_refused_and_it_is_said_what_is_expected(text: str) -> None:
    ((location, message),) = complaints(f"since={text}")
    assert location == "?since"
    assert "ISO 8601 with a zone" in message
    assert "%2B" in message


def test_a_value_that_is_not_one_of_the_known_is_named_with_those_that_are() -> None:
    assert complaints("level=INFO&level=DEBUG&status=done") == [
        (
            "?status",
            "Invalid enum value 'done': one of 'pending', 'running', 'paused', 'completed', "
            "'failed', 'cancelled' is expected",
        ),
        ("?level", "Invalid enum value 'DEBUG': one of 'INFO', 'ERROR' is expected"),
    ]
    assert complaints("status=failed&" * 4) == [("?status", "Expected `array` of length <= 3")]


def test_each_field_says_how_it_is_read() -> None:
    assert kinds_of(Sample) == {
        "status": "repeatable",
        "level": "repeatable",
        "name": "text",
        "since": "text",
        "limit": "scalar",
        "total": "scalar",
    }
    assert msgspec.json.schema(Sample)["$defs"]["Sample"]["properties"]["since"]["format"]
