import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.model.encoding import VALUE_LIMIT_BYTES, decode_other, encode
from perdure.model.exceptions import EncodingError


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float


class Struct(msgspec.Struct):
    points: list[Point]


class Model(pydantic.BaseModel):
    day: date
    from_: str = pydantic.Field(alias="from")


MODEL = Model.model_validate({"day": "2026-02-23", "from": "Seattle"})


def what_it_says(value: Any) -> str:
    with pytest.raises(EncodingError) as caught:
        encode(value, "the value")
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, None),
        (True, True),
        ("é", "é"),
        ([1, (2, 3)], [1, [2, 3]]),
        (Decimal("1.10"), "1.10"),
        (datetime(2026, 2, 23, 16, 30, tzinfo=UTC), "2026-02-23T16:30:00Z"),
        (date(2026, 2, 23), "2026-02-23"),
        (b"\x00\xff", "AP8="),
        (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Colour.RED, "red"),
        ({"a": {1}}, {"a": [1]}),
        (Struct([Point(1, 2.5)]), {"points": [{"x": 1, "y": 2.5}]}),
        (MODEL, {"day": "2026-02-23", "from": "Seattle"}),
        ([MODEL], [{"day": "2026-02-23", "from": "Seattle"}]),
    ],
)
def test_values_become_json(value: Any, encoded: Any) -> None:
    assert json.loads(encode(value, "the value")) == encoded


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 2**64 - 1, -(2**200)])
def test_integers_are_exact(number: int) -> None:
    assert json.loads(encode({"n": number}, "the value")) == {"n": number}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (math.nan, "nan at /"),
        ({"a": [1, math.inf]}, "inf at /a/1"),
        (Point(1, math.nan), "nan at /y"),
        ({"a": {1: 2}}, "key 1 at /a is no string"),
        ({"a": {b"b": 2}}, "key b'b' at /a is no string"),
        (Struct([Point(1, -math.inf)]), "-inf at /points/0/y"),
    ],
)
def test_what_json_would_change_in_silence_is_refused(value: Any, place: str) -> None:
    assert place in what_it_says(value)


@pytest.mark.parametrize("value", [object(), [print], "\ud800"])
def test_what_has_no_json_is_refused(value: Any) -> None:
    assert what_it_says(value).startswith("the value cannot be stored as JSON: ")


def test_what_has_no_json_is_named_with_its_place() -> None:
    said = what_it_says({"a": [1, {"b": (object(),)}]})
    assert said.endswith("object is no type that JSON has, at /a/1/b/0")


def test_what_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    assert "contains itself" in what_it_says(value)


def test_what_is_too_large_is_refused() -> None:
    assert encode("x" * (VALUE_LIMIT_BYTES - 2), "the value")
    assert "2,097,153 bytes" in what_it_says("x" * (VALUE_LIMIT_BYTES - 1))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    )
)
def test_json_values_come_back_the_same(value: Any) -> None:
    assert msgspec.json.decode(encode(value, "the value")) == value


def test_pydantic_models_come_back_through_their_type() -> None:
    decoder = msgspec.json.Decoder(list[Model], dec_hook=decode_other)
    assert decoder.decode(encode([MODEL], "the value")) == [MODEL]
    with pytest.raises(msgspec.ValidationError, match="day"):
        decoder.decode(b'[{"day": "x", "from": "y"}]')


def test_other_types_do_not_come_back() -> None:
    with pytest.raises(NotImplementedError):
        msgspec.json.Decoder(Test, dec_hook=decode_other).decode(b"1")


class Test:
    """A class without JSON."""

    __test__ = False
