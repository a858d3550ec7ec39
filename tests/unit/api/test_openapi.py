"""The OpenAPI document is valid, and leaves nothing of the API out.

That what is answered is also declared, each test of the API holds by the way: see
`tests.support.declared`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.convertors import CONVERTOR_TYPES

import perdure.api
from perdure.api.documentation import SERVED
from perdure.api.headers import ALWAYS, REQUEST_HEADERS, RESPONSE_HEADERS
from perdure.api.openapi import document
from perdure.api.paths import PATH_PARAMETERS
from perdure.api.problems import CODES
from perdure.model import durations
from perdure.wire.requests import TIMEOUT
from tests.support.declared import openapi_document, operation_of, resolved, validator

_OF_EVERY_REQUEST = {"authorization", "host", "origin"}
_OF_BODIES = {"content-type", "content-length", "content-encoding", "transfer-encoding", "expect"}

OPERATIONS = {
    operation["operationId"]: operation
    for operations in openapi_document()["paths"].values()
    for operation in operations.values()
}
OF_EACH = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def media_of(operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is sent and answered: of every body, the schema with its examples."""
    yield from operation.get("requestBody", {"content": {}})["content"].values()
    for answer in operation["responses"].values():
        yield from resolved(answer).get("content", {}).values()


def examples_of(described: Mapping[str, Any]) -> list[Any]:
    """The examples of a body or a parameter."""
    if "example" in described:
        return [described["example"]]
    return [resolved(each)["value"] for each in described.get("examples", {}).values()]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(dict(openapi_document()))
    assert openapi_document()["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere() -> None:
    found = set(references(openapi_document()))
    assert found
    for reference in found:
        assert resolved({"$ref": reference})


def test_nothing_is_described_that_is_not_there() -> None:
    components = openapi_document()["components"]
    used = set(references(openapi_document()))
    for kind in ("schemas", "responses", "headers", "examples", "links"):
        for name in components[kind]:
            assert f"#/components/{kind}/{name}" in used
    taken = {name for route in SERVED for name in route.takes}
    assert taken == set(REQUEST_HEADERS)
    in_paths = {name for route in SERVED for name in re.findall(r"{(\w+)", route.path)}
    assert in_paths == set(PATH_PARAMETERS)


def test_every_route_is_there() -> None:
    assert len({route.operation for route in SERVED}) == len(SERVED) == len(OPERATIONS)
    for route in SERVED:
        operation = OPERATIONS[route.operation]
        example = re.sub(r"{(\w+)[^}]*}", lambda m: PATH_PARAMETERS[m[1]]["example"], route.path)
        assert operation_of(route.method, example) == operation
        assert {str(status) for status in route.replies} <= set(operation["responses"])
        assert (operation.get("security") == []) == route.public


@pytest.mark.parametrize("route", SERVED, ids=lambda route: route.operation)
def test_every_code_of_a_route_is_there(route: Any) -> None:
    told = {
        code
        for answer in OPERATIONS[route.operation]["responses"].values()
        for code in resolved(answer)
        .get("content", {})
        .get("application/problem+json", {"examples": {}})["examples"]
    }
    assert told == route.all_codes
    assert told <= set(CODES)


@OF_EACH
def test_every_operation_says_what_it_does(operation: Mapping[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    assert operation["summary"]
    assert operation["description"].endswith(".")
    [tag] = operation["tags"]
    described = {each["name"]: each["description"] for each in openapi_document()["tags"]}
    assert described[tag].endswith(".")


@OF_EACH
def test_every_body_has_an_example_that_fits(operation: Mapping[str, Any]) -> None:
    for media in media_of(operation):
        examples = examples_of(media)
        assert examples
        for example in examples:
            assert list(validator(media["schema"]).iter_errors(example)) == []


@OF_EACH
def test_every_parameter_is_described_with_an_example_that_fits(
    operation: Mapping[str, Any],
) -> None:
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter["name"]
        examples = examples_of(parameter)
        assert examples, parameter["name"]
        for example in examples:
            assert list(validator(parameter["schema"]).iter_errors(example)) == []


@OF_EACH
def test_every_answer_tells_its_headers(operation: Mapping[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        assert set(ALWAYS) <= set(resolved(answer)["headers"]) <= set(RESPONSE_HEADERS)
        assert resolved(answer)["description"]
        assert ("Retry-After" in resolved(answer)["headers"]) == (status in ("429", "503"))


def test_every_member_is_described() -> None:
    for name, schema in openapi_document()["components"]["schemas"].items():
        assert schema["description"]
        for member, declared in schema.get("properties", {}).items():
            assert declared.get("description"), f"{name}.{member}"


def test_every_header_that_is_read_is_declared() -> None:
    """Names of headers are the only bytes in lower case that the sources look up."""
    looked_up = re.compile(
        r'headers\.get\(\s*b"([a-z-]+)"|b"([a-z-]+)" in (?:\w+\.)?headers'
        r'|headers\[b"([a-z-]+)"\]|header_lines\(b"([a-z-]+)"\)'
    )
    [folder] = perdure.api.__path__
    read = {
        name
        for file in Path(folder).glob("*.py")
        for found in looked_up.findall(file.read_text())
        for name in found
        if name
    }
    assert {"authorization", "prefer", "content-type"} <= read
    declared = {name.lower() for route in SERVED for name in route.takes}
    assert read - _OF_EVERY_REQUEST - _OF_BODIES - declared == set()


def test_paths_have_only_plain_parameters() -> None:
    kinds = {kind for route in SERVED for kind in re.findall(r":(\w+)}", route.path)}
    assert kinds <= set(CONVERTOR_TYPES)


@given(st.from_regex(TIMEOUT, fullmatch=True))
def test_every_timeout_that_is_documented_is_understood(text: str) -> None:
    assert durations.milliseconds(text) > 0


def test_the_document_is_the_same_each_time() -> None:
    assert document(SERVED) == openapi_document()
