import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import jsonschema_rs
import msgspec
import pydantic
import pytest

from perdure import workflow
from perdure.authoring.signature import Signature
from perdure.model.exceptions import DefinitionError, EncodingError


class Unit(Enum):
    CELSIUS = "C"
    KELVIN = "K"


@dataclass
class Place:
    """Somewhere."""

    name: str
    inside: "Place | None" = None
    tags: list[str] = field(default_factory=list)


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    degrees: Annotated[float, msgspec.Meta(ge=-273.15, description="In Celsius.")]
    at: datetime


class Options(TypedDict):
    unit: Unit
    exact: NotRequired[bool]


class Limit(pydantic.BaseModel):
    at_most: int = pydantic.Field(gt=0, alias="atMost")
    inner: "Limit | None" = None


class Budget(pydantic.BaseModel):
    """What it may cost."""

    limits: list[Limit]


@workflow
async def everything(  # type: ignore[no-untyped-def]
    place: Place,
    readings: list[Reading],
    options: Options,
    budget: Budget,
    limit: Limit,
    price: Decimal,
    day: date = date(2026, 2, 23),
    mode: Literal["fast", "slow"] = "fast",
    more: dict[str, Any] | None = None,
    parts: tuple[int, str] = (1, "a"),
    untyped=None,
) -> None:
    """Take all kinds of things."""


GOOD: dict[str, Any] = {
    "place": {"name": "Seattle", "inside": {"name": "Washington"}},
    "readings": [{"degrees": 12.5, "at": "2026-02-23T16:30:00Z"}],
    "options": {"unit": "C"},
    "budget": {"limits": [{"atMost": 3, "inner": {"atMost": 1}}]},
    "limit": {"atMost": 3},
    "price": "1.10",
}
SCHEMA = json.loads(everything.served().input_schema)


def with_(**changes: Any) -> dict[str, Any]:
    return GOOD | changes


def test_the_schema_is_one_of_the_dialect_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["required"] == ["place", "readings", "options", "budget", "limit", "price"]
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["$defs"]["Place"]["description"] == "Somewhere."
    assert SCHEMA["properties"]["budget"]["description"] == "What it may cost."


@pytest.mark.parametrize(
    "inputs",
    [
        GOOD,
        with_(day="2025-01-01", mode="slow", more={"a": 1}, parts=[2, "b"], untyped=[1]),
        with_(place={"name": "x", "inside": None, "tags": ["a"]}),
    ],
)
def test_what_the_schema_takes_decodes(inputs: dict[str, Any]) -> None:
    jsonschema_rs.validator_for(SCHEMA).validate(inputs)
    decoded = everything.signature.decode_arguments(json.dumps(inputs).encode())
    assert decoded["place"].name == inputs["place"]["name"]
    assert decoded["limit"] == Limit(atMost=3)
    assert decoded["price"] == Decimal("1.10")


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        with_(unheard=1),
        with_(place={"name": 5}),
        with_(place={"name": "x", "inside": {"inside": None}}),
        with_(readings=[{"degrees": -300, "at": "2026-02-23T16:30:00Z"}]),
        with_(options={"unit": "F"}),
        with_(budget={"limits": [{"atMost": 0}]}),
        with_(limit={"atMost": 1, "inner": {"atMost": "x"}}),
        with_(mode="medium"),
        with_(parts=[1]),
    ],
)
def test_what_the_schema_refuses_does_not_decode(inputs: dict[str, Any]) -> None:
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(inputs)
    with pytest.raises(EncodingError):
        everything.signature.decode_arguments(json.dumps(inputs).encode())


def test_defaults_are_those_of_the_function() -> None:
    default: list[int] = [1]

    def function(values: list[int] = default, place: Place = Place("here")) -> None: ...  # noqa: B008

    decoded = Signature(function, "task function").decode_arguments(b"{}")
    assert decoded == {"values": [1], "place": Place("here")}
    assert decoded["values"] is default


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        (with_(place={"name": 5}), "/place/name: Expected `str`, got `int`"),
        (with_(readings=[{"degrees": 1}]), "/readings/0: Object missing required field `at`"),
        (with_(more={"a": 1, "b": {}}, parts=[1, 2]), "/parts/1: Expected `str`, got `int`"),
    ],
)
def test_problems_are_located(inputs: dict[str, Any], place: str) -> None:
    with pytest.raises(EncodingError) as caught:
        everything.signature.decode_arguments(json.dumps(inputs).encode())
    assert place in str(caught.value)


# -- types that cannot work --------------------------------------------------------------------


class Opaque: ...


def takes_opaque(thing: Opaque) -> None: ...


def takes_many_opaque(things: dict[str, list[Opaque]]) -> None: ...


def gives_opaque() -> Opaque:
    return Opaque()


def takes_a_function(function: Callable[[], None]) -> None: ...


def takes_two_kinds(place: Place | Limit | Reading) -> None: ...


def takes_an_unknown(thing: "Missing") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def takes_no_type(thing: 5) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (takes_opaque, "task x: parameter thing: Opaque has no JSON"),
        (takes_many_opaque, "task x: parameter things: Opaque has no JSON"),
        (gives_opaque, "task x: its return type: Opaque has no JSON"),
        (takes_a_function, "task x: parameter function: "),
        (takes_two_kinds, "task x: parameter place: "),
        (takes_an_unknown, "task x: a type cannot be resolved (name 'Missing' is not defined)"),
        (takes_no_type, "task x: "),
    ],
)
def test_types_without_json_are_named(function: Any, says: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Signature(function, "task x").prepare()
    assert says in str(caught.value)
