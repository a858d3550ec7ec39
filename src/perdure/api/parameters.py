"""The parameters of operations: in the path, in the query, and in headers."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from perdure.api.descriptions import PARAMETERS
from perdure.api.headers import REQUEST_HEADERS, Header
from perdure.api.paths import PATH_PARAMETERS
from perdure.api.queries import Query
from perdure.api.routes import Route
from perdure.api.schemas import REFERENCE, Json, name_of, tidied

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
"""Within the path of a route; its name."""


def path_parameters(route: Route) -> Iterable[Json]:
    """Those in the path of a route."""
    for name in PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]}


def query_parameters(query: type[Query]) -> Iterable[Json]:
    """Those of a query: by the types of its fields, and what their `Meta` says."""
    (reference,), components = msgspec.json.schema_components([query], ref_template=REFERENCE)
    schema = components[name_of(reference)]
    for name, found in schema["properties"].items():
        parameter: Json = {"name": name, "in": "query", "required": name in schema["required"]}
        declared = _sendable(_resolved(tidied(found), components))
        if declared.get("default", "") in ("", None, [], ()):
            declared.pop("default", None)
        description, example = PARAMETERS.get(name, (None, None))
        parameter["description"] = _first(declared, "description") or description
        examples = _first(declared, "examples") or [example]
        yield parameter | {"example": _example(declared, examples[0]), "schema": declared}


def _resolved(schema: Any, components: Mapping[str, Json]) -> Any:
    """The schema of a query parameter with its references filled in: a few words, used once."""
    if isinstance(schema, list):
        return [_resolved(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {**tidied(components[name_of(schema)]), **_without(schema, "$ref")}
    return {key: _resolved(value, components) for key, value in schema.items()}


def _sendable(schema: Json) -> Json:
    """A schema without null, which no query parameter can be."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **_without(schema, "anyOf")}
    return {**schema, "anyOf": choices} if choices else schema


def _example(schema: Json, given: Any) -> Any:
    """An example for a schema: the one that is given, or else the first value that it names."""
    if schema.get("type") == "array":
        return given if isinstance(given, list) else [_example(schema["items"], given)]
    if given is None:
        return schema.get("default", schema.get("enum", [None])[0])
    return given


def _first(schema: Json, key: str) -> Any:
    """Take `key` out of a schema, or else out of one of its parts; None where no part has it."""
    parts = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return next((part.pop(key) for part in parts if key in part), None)


def header_parameters(route: Route) -> Iterable[Json]:
    """The headers that a route heeds."""
    for name in route.takes:
        yield {
            "name": name,
            "in": "header",
            "required": False,
            **described_header(REQUEST_HEADERS[name]),
        }


def described_header(header: Header) -> Json:
    """What a header means, with its schema and an example."""
    return {
        "description": header.description,
        "schema": dict(header.schema),
        "example": header.example,
    }


def _without(schema: Mapping[str, Any], key: str) -> Json:
    return {name: value for name, value in schema.items() if name != key}
