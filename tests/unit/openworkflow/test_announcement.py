"""How documents are announced."""

import json
from typing import Any

import msgspec
import pytest

from perdure.openworkflow.validation import validate
from perdure.ports.runtime import Served

HEADER = {"dsl": "1.0.3", "namespace": "test", "name": "sample", "version": "1.0.0"}
CALL = {"call": "http", "with": {"method": "get", "endpoint": "https://a.example"}}


def announced(*tasks: Any, header: Any = None, **sections: Any) -> Served:
    do = [{f"t{index}": task} for index, task in enumerate(tasks)]
    tree = {"document": {**HEADER, **(header or {})}, **sections, "do": do}
    report = validate(json.dumps(tree).encode())
    assert report.findings == ()
    assert report.served is not None
    return report.served


def test_what_its_header_says() -> None:
    header = {"title": "A sample", "tags": {"team": "a", "tier": 1, "all": ["b"]}}
    served = announced(header=header)
    assert (served.workflow_id, served.version, served.kind) == ("test.sample", "1.0.0", "document")
    assert served.title == "A sample"
    assert served.tags == {"team": "a", "tier": "1", "all": '["b"]'}
    assert served.unsupported == ()


def test_the_default_namespace_is_not_in_the_id() -> None:
    assert announced(header={"namespace": "default"}).workflow_id == "sample"


def test_its_source_is_shown_as_it_was_sent_unless_it_is_long() -> None:
    text = "document: {dsl: 1.0.3, namespace: a, name: b, version: 1.0.0}\ndo: [] # nothing ä\n"
    short, long = validate(text.encode()).served, validate((text + "#" * 300_000).encode()).served
    assert short is not None
    assert short.source == text
    assert long is not None
    assert long.source is None


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (
            {"after": {"days": 1, "hours": 1, "minutes": 1, "seconds": 1, "milliseconds": 1}},
            90_061_001,
        ),
        ({"after": "PT1.5S"}, 1_500),
        ({"after": "${ .a }"}, None),
        ("short", 60_000),
    ],
)
def test_its_timeout_where_it_is_constant(timeout: Any, expected: int | None) -> None:
    use = {"timeouts": {"short": {"after": "PT1M"}}}
    assert announced(timeout=timeout, use=use).timeout_ms == expected


def test_no_timeout_where_there_is_none() -> None:
    assert announced().timeout_ms is None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"document": {"type": "object"}}, {"type": "object"}),
        ({"format": "json:2020-12", "document": {"required": ["a"]}}, {"required": ["a"]}),
        ({"document": True}, {}),
        ({"document": False}, {"not": {}}),
        ({"format": "avro", "document": "x"}, {}),
        ({"resource": {"endpoint": "https://a.example"}}, {}),
    ],
)
def test_its_input_schema(schema: Any, expected: Any) -> None:
    assert msgspec.json.decode(announced(input={"schema": schema}).input_schema) == expected


def subscribed(tasks: Any) -> Any:
    subscription = {"consume": {"amount": 1}, "foreach": {"do": tasks}}
    document = {"endpoint": "https://a.example"}
    return {
        "call": "asyncapi",
        "with": {"document": document, "operation": "a", "subscription": subscription},
    }


def authenticated(policy: Any) -> Any:
    endpoint = {"uri": "https://a.example", "authentication": policy}
    return {"call": "http", "with": {"method": "get", "endpoint": endpoint}}


OAUTH = {"oauth2": {"authority": "https://a.example", "grant": "password"}}
GRPC = {
    "call": "grpc",
    "with": {
        "proto": {"endpoint": "https://a.example"},
        "service": {"name": "a", "host": "a.example"},
        "method": "b",
    },
}
LISTEN = {"listen": {"to": {"one": {"with": {"type": "a"}}}}}


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (CALL, ()),
        (GRPC, ("call grpc at /do/0/t0",)),
        (LISTEN, ("listen at /do/0/t0",)),
        ({"run": {"shell": {"command": "a"}}}, ("run shell at /do/0/t0",)),
        ({"run": {"workflow": {"namespace": "a", "name": "b", "version": "1.0.0"}}}, ()),
        ({"call": "log:1.0.0@default"}, ("call log:1.0.0@default at /do/0/t0",)),
        ({"call": "https://a.example/f.yaml"}, ("call https://a.example/f.yaml at /do/0/t0",)),
        ({"do": [{"a": GRPC}]}, ("call grpc at /do/0/t0/do/0/a",)),
        ({"for": {"in": ".a"}, "do": [{"a": GRPC}]}, ("call grpc at /do/0/t0/do/0/a",)),
        ({"fork": {"branches": [{"a/b": GRPC}]}}, ("call grpc at /do/0/t0/fork/branches/0/a~1b",)),
        (
            {"try": [{"a": GRPC}], "catch": {"do": [{"b": LISTEN}]}},
            ("call grpc at /do/0/t0/try/0/a", "listen at /do/0/t0/catch/do/0/b"),
        ),
        (
            {**LISTEN, "foreach": {"do": [{"a": GRPC}]}},
            ("listen at /do/0/t0", "call grpc at /do/0/t0/foreach/do/0/a"),
        ),
        (
            subscribed([{"a": GRPC}]),
            (
                "call asyncapi at /do/0/t0",
                "call grpc at /do/0/t0/with/subscription/foreach/do/0/a",
            ),
        ),
        (authenticated({"basic": {"username": "a", "password": "b"}}), ()),
        (
            authenticated(OAUTH),
            ("authentication oauth2 at /do/0/t0/with/endpoint/authentication",),
        ),
        (
            authenticated({"use": "own"}),
            ("authentication oauth2 at /do/0/t0/with/endpoint/authentication",),
        ),
        (
            {
                "set": {"a": 1},
                "output": {"schema": {"resource": {"endpoint": "https://a.example"}}},
            },
            ("schema resource at /do/0/t0/output/schema/resource",),
        ),
        (
            {"set": {"a": 1}, "input": {"schema": {"format": "avro", "document": {}}}},
            ("schema format avro at /do/0/t0/input/schema",),
        ),
    ],
)
def test_what_cannot_be_executed_yet_is_named_with_its_place(task: Any, expected: Any) -> None:
    assert announced(task, use={"authentications": {"own": OAUTH}}).unsupported == expected


def test_functions_and_extensions_are_looked_through() -> None:
    use = {
        "functions": {"f": GRPC, "g": CALL},
        "extensions": [{"e": {"extend": "all", "before": [{"a": LISTEN}], "after": [{"b": CALL}]}}],
    }
    assert announced({"call": "g"}, use=use).unsupported == (
        "call grpc at /use/functions/f",
        "listen at /use/extensions/0/e/before/0/a",
    )


def test_a_schedule_is_without_effect_and_no_obstacle() -> None:
    assert announced(schedule={"every": {"hours": 1}}).unsupported == ()
