"""Schemas of documents are checked in the server within bounds, and what is beyond is left."""

import time
from typing import Any

import msgspec
import pytest

from perdure.engine.inputs import LARGEST_SCHEMA, LONGEST_CHECK, InputSchema, cost_of

TREE = {
    "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}},
    "$ref": "#/$defs/node",
}


def schema(of: Any, *, trusted: bool = False) -> InputSchema:
    return InputSchema(msgspec.json.encode(of), trusted=trusted)


def doubling(times: int) -> dict[str, Any]:
    """A schema that is checked 2 ** times over."""
    steps: dict[str, Any] = {
        f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(times)
    }
    return {"$defs": {**steps, f"a{times}": {"type": "string"}}, "$ref": "#/$defs/a0"}


def test_every_problem_is_located() -> None:
    its = schema({"properties": {"a/b": {"type": "integer"}, "c": {"maxLength": 1}}})
    assert its.fault() is None
    assert its.problems(b'{"a/b": 1, "c": "x"}') == ()
    found = [each.location for each in its.problems(b'{"a/b": "1", "c": "xy"}')]
    assert found == ["/inputs/a~1b", "/inputs/c"]


@pytest.mark.parametrize(
    "of", [{"type": 5}, {"properties": []}, {"pattern": "("}, {"required": "x"}]
)
def test_what_is_no_schema_is_at_fault(of: Any) -> None:
    assert schema(of).fault()


def test_references_within_are_counted_where_they_stand() -> None:
    shared = {"$defs": {"a": {"type": "string"}}}
    assert cost_of({**shared, "items": {"$ref": "#/$defs/a"}}) < 20
    assert cost_of(doubling(3)) < LARGEST_SCHEMA < cost_of(doubling(20))


@pytest.mark.parametrize(
    "of",
    [
        doubling(40),
        TREE,
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$dynamicAnchor": "x", "items": {"$dynamicRef": "#x"}},
        {"$id": "urn:a", "$ref": "urn:a"},
        {"$ref": "https://example.com/schema"},
        {"anyOf": [{"const": number} for number in range(LARGEST_SCHEMA)]},
        {"allOf": [{"pattern": f"[a-z]{{{number}}}"} for number in range(200)]},
    ],
    ids=str,
)
def test_what_may_take_long_is_left_to_the_worker(of: Any) -> None:
    began = time.monotonic()
    its = schema(of)
    assert its.fault() is None
    assert its.problems(b'{"next": 5}') == ()
    assert time.monotonic() - began < 5


def test_large_inputs_are_left_to_the_worker() -> None:
    its = schema({"properties": {"x": {"items": {"anyOf": [{"type": "null"}] * 1_000}}}})
    small = b'{"x": [1]}'
    assert [each.location for each in its.problems(small)] == ["/inputs/x/0"]
    medium = b'{"x": [%s]}' % b",".join([b"1"] * 500)
    assert [each.location for each in its.problems(medium)] == ["/inputs"]
    large = b"{" + b" " * (LONGEST_CHECK // 1_000)
    assert its.problems(large) == (), "it is not even decoded"


def test_what_perdure_has_made_is_checked_in_any_case() -> None:
    its = schema(TREE, trusted=True)
    assert its.problems(b'{"next": {"next": {}}}') == ()
    deep = schema({**TREE, "required": ["next"]}, trusted=True)
    assert [each.location for each in deep.problems(b"{}")] == ["/inputs"]
