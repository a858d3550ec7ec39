"""Whether inputs fit a schema, checked in the server's process.

Schemas of Python workflows are made by perdure. Those of documents come from whoever registers
them, and may be made to cost: references that repeat, recursion, many alternatives over large
inputs. The server checks what it can within bounds of time and memory. What is beyond them is
checked in the worker, where the execution begins and fails.

Regexes run in linear time, and nothing is fetched.
"""

from collections.abc import Sequence
from typing import Any

import jsonschema_rs
import msgspec

from perdure.ports.runtime import Problem

LARGEST_SCHEMA = 10_000
"""Parts that a schema of a document may have, its references filled in, to be checked here."""
LONGEST_CHECK = 20_000_000
"""Parts of the schema times bytes of the inputs, at most; about a quarter of a second."""
LONGEST_TOLD = 1_000_000
"""The same for telling each problem, which takes memory for each alternative that does not fit."""
_PROBLEM_LIMIT = 100
_PATTERN_COST = 100
_PATTERN_BYTES = 100_000
_OWN_PATTERN_BYTES = 1_000_000
_ELSEWHERE = ("$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor")
_UNBOUNDED = LARGEST_SCHEMA + 1


class InputSchema:
    """JSON Schema (2020-12) of inputs. It is `trusted` where perdure has made it."""

    def __init__(self, schema: bytes, *, trusted: bool) -> None:
        self._schema = schema
        self._trusted = trusted
        self._cost: int | None = None
        self._validator: Any = None

    def fault(self) -> str | None:
        """What keeps the schema from being one; None where it can be checked, or is too large."""
        try:
            self._prepare()
        except (ValueError, RecursionError) as error:
            return str(error).partition("\n")[0]
        return None

    def problems(self, inputs: bytes) -> Sequence[Problem]:
        """What is wrong with inputs (a JSON object); nothing most often, or beyond the bounds."""
        cost = self._prepare()
        if self._validator is None or cost * len(inputs) > LONGEST_CHECK:
            return ()
        value = msgspec.json.decode(inputs)
        if self._validator.is_valid(value):
            return ()
        if cost * len(inputs) > LONGEST_TOLD:
            return [Problem("/inputs", "do not fit the input schema; too large to say where")]
        found = []
        for error in self._validator.iter_errors(value):
            location = "".join(f"/{_escaped(part)}" for part in error.instance_path)
            found.append(Problem(f"/inputs{location}", error.message))
            if len(found) == _PROBLEM_LIMIT:
                break
        return found

    def _prepare(self) -> int:
        """How many parts the schema counts for; made ready at its first use.

        Raises ValueError for what is no schema.
        """
        if self._cost is None:
            schema = msgspec.json.decode(self._schema)
            cost = 0 if self._trusted else cost_of(schema)
            if cost <= LARGEST_SCHEMA:
                size = _OWN_PATTERN_BYTES if self._trusted else _PATTERN_BYTES
                self._validator = jsonschema_rs.Draft202012Validator(
                    schema,
                    pattern_options=jsonschema_rs.RegexOptions(size_limit=size),
                    retriever=_fetch_nothing,
                )
            self._cost = cost
        return self._cost


def cost_of(schema: Any) -> int:
    """How many parts a schema has with its references filled in; no more than is checked, plus one.

    A schema that refers to itself counts as too large, as does one with references by name.
    """
    try:
        return _Counting(schema).cost(schema)
    except RecursionError:
        return _UNBOUNDED


class _Counting:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, int] = {}

    def cost(self, part: Any) -> int:
        total = 1
        if isinstance(part, dict):
            if any(name in part for name in _ELSEWHERE):
                return _UNBOUNDED
            if isinstance(part.get("pattern"), str):
                total += _PATTERN_COST
            if isinstance(part.get("patternProperties"), dict):
                total += _PATTERN_COST * len(part["patternProperties"])
            if isinstance(part.get("$ref"), str):
                total += self._referred(part["$ref"])
            inner = list(part.values())
        elif isinstance(part, list):
            inner = part
        else:
            return total
        for each in inner:
            if total > LARGEST_SCHEMA:
                return _UNBOUNDED
            total += self.cost(each)
        return min(total, _UNBOUNDED)

    def _referred(self, reference: str) -> int:
        if reference not in self._known:
            self._known[reference] = _UNBOUNDED  # what it is found to be within itself
            found = _at(self._root, reference)
            self._known[reference] = _UNBOUNDED if found is None else self.cost(found)
        return self._known[reference]


def _at(root: Any, reference: str) -> Any:
    """What a reference within the schema names (RFC 6901), or None."""
    if not reference.startswith("#") or "%" in reference:
        return None
    found = root
    for segment in reference[1:].split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name[:9])]
        else:
            return None
    return found if reference == "#" or reference.startswith("#/") else None


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
