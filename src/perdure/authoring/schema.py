"""Python types as JSON Schema (2020-12), pydantic models included."""

import re
from typing import Any

import msgspec

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = "#/$defs/{name}"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def json_schema(type_: Any) -> dict[str, Any]:
    """The schema of a type; shared types are under ``$defs``.

    Raises TypeError, naming it, for a type that has no JSON.
    """
    pydantic_definitions: dict[str, Any] = {}

    def hook(other: type) -> dict[str, Any]:
        if not hasattr(other, "__pydantic_validator__"):
            raise TypeError(
                f"{other.__qualname__} has no JSON: use a dataclass, a msgspec struct, a "
                "TypedDict, a pydantic model or plain values"
            )
        return _pydantic_schema(other, pydantic_definitions)

    (schema,), definitions = msgspec.json.schema_components(
        [type_], schema_hook=hook, ref_template=_REFERENCE
    )
    definitions |= pydantic_definitions
    top = schema.get("$ref", "").removeprefix("#/$defs/")
    if top in definitions and not _mentions(definitions, schema["$ref"]):
        schema = definitions.pop(top)
    return {"$schema": DIALECT, **schema, **({"$defs": definitions} if definitions else {})}


def _pydantic_schema(model: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model; what it refers to goes into `definitions`, under its own prefix."""
    prefix = _NOT_IN_NAMES.sub("_", f"{model.__module__}.{model.__qualname__}")
    schema: dict[str, Any] = model.model_json_schema(  # type: ignore[attr-defined]
        ref_template=f"#/$defs/{prefix}.{{model}}"
    )
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{prefix}.{name}"] = definition
    return schema


def _mentions(value: Any, reference: str) -> bool:
    if isinstance(value, dict):
        if value.get("$ref") == reference:
            return True
        return any(_mentions(item, reference) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, reference) for item in value)
