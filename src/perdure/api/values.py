"""JSON that clients send: decoded strictly, and every problem of it located.

The first look is one pass by msgspec. Only where that fails is the value looked at again, field by
field, to say everything that is wrong with it and where.
"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from perdure.api.problems import RequestError
from perdure.model.encoding import VALUE_LIMIT_BYTES
from perdure.ports.runtime import Problem

DEEPEST = 100
"""Levels of arrays and objects that a value may have."""
_MOST_PROBLEMS = 100
_MOST_ITEMS = 1000
_LONGEST_NAME = 128
_CONTAINERS = frozenset({dict, list})

_SURROGATES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<alone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)

_EXPECTED = "ISO 8601 with a zone is expected, such as 2026-02-23T16:30:00Z or …+02:00"
_IN_OTHER_WORDS = {
    "Invalid RFC3339 encoded datetime": f"is no time: {_EXPECTED}; in a query `+` is `%2B`",
    "Expected `datetime` with a timezone component": f"has no zone: {_EXPECTED}",
}

S = TypeVar("S", bound=msgspec.Struct)

_decode_any = msgspec.json.Decoder().decode


def parsed(text: bytes, type_: type[S]) -> S:
    """`text` as a `type_`; a RequestError says everything that is wrong with it.

    Fields of type Raw are not looked into: see `checked`.
    """
    _expect_unicode(text)
    try:
        return msgspec.json.decode(text, type=type_)
    except msgspec.ValidationError:
        found = _decoded(text, "the body")
        whole = _whole_floats(found, type_)
        if whole:
            return parsed(_with_members(text, whole), type_)
        if isinstance(found, dict):
            errors = problems(found, type_, prefix="/")
        else:
            errors = [Problem("", f"Expected `object`, got `{_json_name(found)}`")]
        raise RequestError(
            "invalid_request", "the body is not valid: see `errors`", errors=errors
        ) from None
    except msgspec.DecodeError as error:
        raise _broken(text, error) from None
    except RecursionError:
        raise _too_deep("the body") from None


def _whole_floats(found: Any, type_: type[msgspec.Struct]) -> dict[str, int]:
    """Members that are whole numbers written as ``5.0``, which JSON Schema takes for integers."""
    if not isinstance(found, dict):
        return {}
    return {
        field.encode_name: int(value)
        for field in msgspec.structs.fields(type_)
        if get_args(field.type)[:1] == (int,)
        and isinstance(value := found.get(field.encode_name), float)
        and value.is_integer()
    }


def _with_members(text: bytes, changed: Mapping[str, int]) -> bytes:
    """A JSON object with some members changed; the others stay as they are written."""
    members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**members, **changed})


def checked(raw: msgspec.Raw, location: str, *, expect_object: bool = False) -> bytes:
    """A value within a body, as JSON that everyone after this will be able to decode."""
    text = bytes(raw)
    what = location[1:]
    if len(text) > VALUE_LIMIT_BYTES:
        raise RequestError(
            "too_large",
            f"{what} has {len(text):,} bytes, and a value may have {VALUE_LIMIT_BYTES:,}: "
            "store it elsewhere and pass a reference",
            errors=[Problem(location, "is too large")],
        )
    value = _decoded(text, what, location)
    if expect_object and not isinstance(value, dict):
        raise RequestError(
            "invalid_request",
            "the body is not valid: see `errors`",
            errors=[Problem(location, f"Expected `object`, got `{_json_name(value)}`")],
        )
    if text.count(b"[") + text.count(b"{") > DEEPEST and _deeper_than(value, DEEPEST):
        raise _too_deep(what, location)
    return text


def scalar(text: str) -> int | bool | str:
    """A number or boolean of a query; the text itself where it is neither."""
    for type_ in (int, bool):
        try:
            return msgspec.convert(text, type_, strict=False)
        except msgspec.ValidationError:
            pass
    return text


def problems(
    found: Mapping[str, Any], type_: type[msgspec.Struct], *, prefix: str
) -> list[Problem]:
    """Everything that keeps `found` from being a `type_`, up to a hundred problems."""
    return list(islice(_each_problem(found, type_, prefix), _MOST_PROBLEMS))


def _each_problem(
    found: Mapping[str, Any], type_: type[msgspec.Struct], prefix: str
) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    for name in found:
        if name not in fields:
            yield Problem(prefix + _escaped(name), _unknown(name, fields))
    for name, field in fields.items():
        if name in found:
            yield from _field_problems(found[name], field.type, prefix + name)
        elif field.required:
            yield Problem(prefix + name, "is missing")


def _field_problems(value: Any, type_: Any, location: str) -> Iterator[Problem]:
    message = _complaint(value, type_)
    if message is None:
        return
    within = False
    bare = get_args(type_)[0] if get_origin(type_) is Annotated else type_
    if isinstance(value, dict) and get_origin(bare) is dict:
        key_type, item_type = get_args(bare)
        for key, item in islice(value.items(), _MOST_ITEMS):
            for said in (_complaint(key, key_type), _complaint(item, item_type)):
                if said is not None:
                    within = True
                    yield Problem(f"{location}/{_escaped(key)}", said)
    if not within:
        yield Problem(location, message)


def _complaint(value: Any, type_: Any) -> str | None:
    if type_ is msgspec.Raw or msgspec.Raw in get_args(type_):
        return None
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        said = str(error).partition(" - at `")[0]
        if said.startswith("Invalid enum value "):
            said += f": one of {', '.join(_choices(type_))} is expected"
        return _IN_OTHER_WORDS.get(said, said)
    return None


def _choices(type_: Any) -> Iterator[str]:
    """The texts that a type allows, where it is an enum, or has one within."""
    if isinstance(type_, type) and issubclass(type_, Enum):
        yield from (repr(member.value) for member in type_)
    for inner in get_args(type_):
        if isinstance(inner, str):
            yield repr(inner)
        else:
            yield from _choices(inner)


def _unknown(name: str, fields: Mapping[str, Any]) -> str:
    if not fields:
        return "is not known; none is taken here"
    near = get_close_matches(name[:_LONGEST_NAME], fields, n=1)
    return f"is not known; did you mean {near[0]!r}?" if near else "is not known"


def _escaped(name: str) -> str:
    return name[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _expect_unicode(text: bytes) -> None:
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            "invalid_json",
            f"the body is not UTF-8: {error.reason} at byte {error.start}",
            offset=error.start,
        ) from None


def _decoded(text: bytes, what: str, location: str = "") -> Any:
    try:
        return _decode_any(text)
    except msgspec.ValidationError as error:
        raise RequestError(
            "invalid_request",
            "the body is not valid: see `errors`",
            errors=[Problem(location, str(error).partition(" - at `")[0])],
        ) from None
    except msgspec.DecodeError as error:
        raise _broken(text, error) from None
    except RecursionError:
        raise _too_deep(what, location) from None


def _broken(text: bytes, error: msgspec.DecodeError) -> RequestError:
    """Where JSON breaks: msgspec tells the byte, but for texts that it reads to their end."""
    reason, marked, byte = str(error).removeprefix("JSON is malformed: ").partition(" (byte ")
    if marked:
        # Of characters after the value msgspec tells the byte after the first.
        offset = int(byte.rstrip(")")) - reason.startswith("trailing characters")
    else:
        offset, reason = len(text), "the text ends before its value does"
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            offset, reason = _lone_surrogate(text), "half of a surrogate pair stands alone"
    line = text.count(b"\n", 0, offset) + 1
    column = offset - text.rfind(b"\n", 0, offset)
    return RequestError(
        "invalid_json",
        f"the body is not JSON: {reason}, at line {line}, column {column}",
        offset=offset,
    )


def _lone_surrogate(text: bytes) -> int:
    return next(match.start() for match in _SURROGATES.finditer(text) if match["alone"])


def _too_deep(what: str, location: str = "") -> RequestError:
    return RequestError(
        "too_deep",
        f"{what} is nested more than {DEEPEST} levels deep",
        errors=[Problem(location, "is nested too deeply")],
    )


def _deeper_than(value: Any, levels: int) -> bool:
    containers = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels):
        containers = [
            item
            for container in containers
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
    return bool(containers)


def _json_name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
