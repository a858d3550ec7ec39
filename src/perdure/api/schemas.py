"""The JSON Schemas (2020-12) of what is sent and answered, as others read them."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from perdure.api.descriptions import DESCRIPTIONS
from perdure.api.problems import ProblemBody
from perdure.api.routes import Content, Route

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
"""Where the schema with this name is."""

_PUBLIC_NAMES = {
    "Head": "ExecutionHead",
    "Whole": "Execution",
    "ProblemBody": "Problem",
    "Problem": "ProblemItem",
    "WrittenFailure": "Failure",
    "Nothing": "Empty",
}
"""What structs are called for those who do not know the code."""


class Schemas:
    """The schemas of every struct that these routes mention."""

    def __init__(self, routes: Iterable[Route]) -> None:
        structs: dict[type[msgspec.Struct], None] = {ProblemBody: None}
        for route in routes:
            mentioned = [route.body, *(each for c in route.replies.values() for each in _types(c))]
            structs |= {each: None for each in mentioned if isinstance(each, type)}
        references, components = msgspec.json.schema_components(structs, ref_template=REFERENCE)
        self._references: dict[type, Json] = {
            struct: tidied(reference) for struct, reference in zip(structs, references, strict=True)
        }
        self.components: Json = {
            public: _described(public, tidied(schema))
            for name, schema in components.items()
            for public in [_PUBLIC_NAMES.get(name, name)]
        }

    def of(self, struct: type[msgspec.Struct]) -> Json:
        """A reference to the schema of this struct."""
        return self._references[struct]


def _described(name: str, schema: Json) -> Json:
    """A schema with its public name, and with what its members mean."""
    for member, declared in schema.get("properties", {}).items():
        said = DESCRIPTIONS.get(f"{name}.{member}", DESCRIPTIONS.get(member))
        if said is not None and "description" not in declared:
            declared["description"] = said
    return {**schema, "title": name}


def _types(content: Content) -> Iterable[object]:
    if isinstance(content, Mapping):
        return content.values()
    if isinstance(content, tuple):
        return content
    return () if content is None else (content,)


def tidied(schema: Any) -> Any:
    """A schema of msgspec's as others read it.

    References have the public names, descriptions are unindented, enumerations have a type, and
    what may be anything is not said to be null as well.
    """
    if isinstance(schema, list):
        return [tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("anyOf")
    if choices is not None and {} in choices:
        return tidied({key: value for key, value in schema.items() if key != "anyOf"})
    tidy = {key: tidied(value) for key, value in schema.items() if value != [] or key == "enum"}
    if isinstance(tidy.get("$ref"), str):
        name = name_of(tidy)
        tidy["$ref"] = REFERENCE.format(name=_PUBLIC_NAMES.get(name, name))
    if isinstance(tidy.get("description"), str):
        tidy["description"] = text(tidy["description"])
    if "enum" in tidy and all(isinstance(each, str) for each in tidy["enum"]):
        tidy["type"] = "string"
    return tidy


def text(docstring: str) -> str:
    """A docstring as the text of a description."""
    return inspect.cleandoc(docstring).replace("``", "`")


def name_of(reference: Mapping[str, Any]) -> str:
    """The name of the schema that is referred to."""
    name: str = reference["$ref"].rpartition("/")[2]
    return name
