"""Which requests mean the same under one idempotency key."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.engine.starting import payload_digest
from perdure.ports.runtime import StartRequest

PLAIN = StartRequest(workflow_id="w", inputs=b'{"a": 1, "b": [true, "x"]}')

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
inputs = st.dictionaries(st.text(max_size=5), values, max_size=5)


def reordered(value: Any) -> Any:
    """The same value with the members of its objects the other way round."""
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


def digest(value: Any, *, indent: int = -1) -> bytes:
    text = msgspec.json.format(msgspec.json.encode(value), indent=indent)
    return payload_digest(StartRequest(workflow_id="w", inputs=text))


@given(inputs)
def test_neither_order_nor_space_means_anything(value: dict[str, Any]) -> None:
    assert digest(value) == digest(reordered(value), indent=2)


@given(inputs, inputs)
def test_other_inputs_are_another_request(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(
        other, order="deterministic"
    )
    assert (digest(one) == digest(other)) == same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1e2}', b'{"a":100.0}', True),
        (b'{"a":1}', b'{"a":1.0}', False),
        (b'{"a":"\\u00fc"}', '{"a":"ü"}'.encode(), True),
        (b'{"a":1,"a":2}', b'{"a":2}', True),
        (b'{"a":123456789012345678901234567890}', b'{"a":123456789012345678901234567891}', False),
        (b'{"a":null}', b"{}", False),
    ],
)
def test_texts_of_the_same_value_are_the_same(one: bytes, other: bytes, same: bool) -> None:
    digests = [payload_digest(StartRequest(workflow_id="w", inputs=text)) for text in (one, other)]
    assert (digests[0] == digests[1]) == same


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": b"{}"},
        {"version": "1"},
        {"tags": {"a": "b"}},
        {"priority": 1},
        {"timeout_ms": 1},
        {"start_at": 1},
    ],
)
def test_all_that_is_asked_for_counts(change: dict[str, Any]) -> None:
    assert payload_digest(msgspec.structs.replace(PLAIN, **change)) != payload_digest(PLAIN)


def test_the_order_of_tags_does_not_count() -> None:
    tagged = [
        msgspec.structs.replace(PLAIN, tags=tags)
        for tags in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    ]
    assert payload_digest(tagged[0]) == payload_digest(tagged[1])
