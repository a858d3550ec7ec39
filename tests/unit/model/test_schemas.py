"""The parts of a schema are counted where they are checked, within a bound."""

import time
from typing import Any

import pytest

from perdure.model.schemas import PATTERN_PARTS, parts_of

TREE = {"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}}


def doubling(times: int) -> dict[str, Any]:
    steps: dict[str, Any] = {
        f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(times)
    }
    return {"$defs": {**steps, f"a{times}": {"type": "string"}}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    ("schema", "parts"),
    [
        (True, 1),
        ({}, 1),
        ({"type": "string"}, 2),
        ({"pattern": "a"}, 2 + PATTERN_PARTS),
        ({"patternProperties": {"a": {}, "b": {}}}, 4 + 2 * PATTERN_PARTS),
        ({"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"}, 7),
        ({"$ref": "#"}, 5),
        ({"$ref": "#/nowhere"}, 3),
        ({"$id": "urn:a"}, 3),
    ],
)
def test_parts_are_counted(schema: Any, parts: int) -> None:
    assert parts_of(schema, 1_000, unknown=1) == parts


def test_what_is_referred_to_counts_at_each_reference() -> None:
    assert parts_of(doubling(10), 100_000, unknown=1) > 2**10
    assert parts_of(doubling(5), 100_000, unknown=1) < 1_000


@pytest.mark.parametrize("unknown", [1, 1_001])
def test_what_is_not_known_counts_as_is_said(unknown: int) -> None:
    assert (parts_of({"$ref": "#/$defs/node", **TREE}, 1_000, unknown=unknown) > 1_000) is (
        unknown > 1_000
    )


def test_counting_ends_soon() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"items": deep}
    began_s = time.perf_counter()

    assert parts_of(doubling(10_000), 1_000, unknown=1) == 1_001
    assert parts_of(deep, 1_000, unknown=1) == 1_001
    assert parts_of({"anyOf": [{"const": n} for n in range(100_000)]}, 1_000, unknown=1) == 1_001
    assert time.perf_counter() - began_s < 5
