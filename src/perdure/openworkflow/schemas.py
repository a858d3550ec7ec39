"""JSON Schema (draft 2020-12) for inputs, outputs and the context.

Patterns run in linear time, and nothing is fetched.
"""

from typing import Any

import jsonschema_rs

from perdure.model import failure as failures
from perdure.openworkflow.errors import WorkflowError

_PROBLEM_LIMIT = 20


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
        problems: list[str] = []
        for error in self._validator.iter_errors(value):
            if len(problems) == _PROBLEM_LIMIT:
                problems.append("and more")
                break
            where = "".join(f"/{_escaped(part)}" for part in error.instance_path)
            problems.append(f"{where or 'as a whole'}: {error.message}")
        detail = f"the {self._what} does not fit its schema: {'; '.join(problems)}"
        raise WorkflowError(failures.validation(detail))


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
