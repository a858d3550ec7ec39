"""JSON Schema (draft 2020-12) for inputs, outputs and the context.

Patterns run in linear time, and nothing is fetched.
"""

from itertools import islice
from typing import Any

import jsonschema_rs

from perdure.model import failure as failures
from perdure.openworkflow.errors import WorkflowError

_ERROR_LIMIT = 1_000
"""How many problems are looked at."""
_PROBLEM_LIMIT = 20
"""How many are told."""


class DataSchema:
    """The shape that data has to have; `what` names the data in errors."""

    def __init__(self, schema: Any, what: str) -> None:
        self._what = what
        self._validator = jsonschema_rs.Draft202012Validator(
            schema,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000),
            retriever=_fetch_nothing,
        )
        self._is_valid = self._validator.is_valid

    def check(self, value: Any) -> None:
        """Raise WorkflowError (validation), with every problem located, where data does not fit."""
        if self._is_valid(value):
            return
        problems = sorted(map(_problem, islice(self._validator.iter_errors(value), _ERROR_LIMIT)))
        if len(problems) > _PROBLEM_LIMIT:
            problems[_PROBLEM_LIMIT:] = ["and more"]
        detail = f"the {self._what} does not fit its schema: {'; '.join(problems)}"
        raise WorkflowError(failures.validation(detail))


def _problem(error: jsonschema_rs.ValidationError) -> str:
    where = "".join(f"/{_escaped(part)}" for part in error.instance_path)
    return f"{where or 'as a whole'}: {error.message}"


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
