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

from perdure.model.schemas import parts_of
from perdure.ports.runtime import Problem

LARGEST_SCHEMA = 10_000
"""Parts that a schema of a document may have, its references filled in, to be checked here."""
LONGEST_CHECK = 20_000_000
"""Parts of the schema times bytes of the inputs, at most; about a quarter of a second."""
LONGEST_TOLD = 1_000_000
"""The same for telling each problem, which takes memory for each alternative that does not fit."""
_PROBLEM_LIMIT = 100
_PATTERN_BYTES = 100_000
_OWN_PATTERN_BYTES = 1_000_000


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
    return parts_of(schema, LARGEST_SCHEMA, unknown=LARGEST_SCHEMA + 1)


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
