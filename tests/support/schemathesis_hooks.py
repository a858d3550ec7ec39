"""What schemathesis is told beside the OpenAPI document; its SCHEMATHESIS_HOOKS names this module.

Made-up ids lead nowhere, so those that fit their pattern give way to ids that exist, most of the
time; what would make the server wait for long is left out, starts are not put off for ten years,
and one workflow alone is retired. Requests are counted, by the status of their answers.

What no schema can say is accepted: that a cursor is none of its list, that an idempotency key was
used for something else, that a text is no valid document, that a workflow is retired, and that a
retired one can still be looked at. Most texts that would be sent as documents become valid ones.
"""

import atexit
import calendar
import json
import os
import random
import re
from collections import Counter, deque
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response

from perdure.model.identifiers import EXECUTION_ID, WORKFLOW_ID

COUNTS_VARIABLE = "TEST_FUZZ_COUNTS"
"""Names the file that the numbers of answers are written to at the end, by status."""
ENDS_AT_ONCE = "weather"
"""The workflow whose end it takes no time to wait for."""
SERVED = (ENDS_AT_ONCE, "order")
RETIRED = "old"
"""The workflow that is retired whenever another would be."""
_AS_MADE_UP = 0.2
_TOO_FAR = re.compile(r"^(?:20[3-9]|2[1-9][0-9]|[3-9][0-9]{2})[0-9](?=-)")
"""Years that are more than ten ahead."""
_NO_SCHEMA_TELLS = frozenset(
    {"invalid_cursor", "idempotency_mismatch", "workflow_retired", "invalid_document"}
)
_REGISTER = ("POST", "/api/workflows")
_REGISTERED = "fuzzed"
"""The namespace of documents that are registered."""
_DOCUMENTS = 20
"""So many documents are registered, most of them again and again."""
_WRONGLY_ANSWERED = frozenset({"RejectedPositiveData", "AcceptedNegativeData"})

_chance = random.Random(0)
_started: deque[str] = deque(maxlen=50)
_registered: set[str] = set()
"""Ids of documents that were registered: they exist, and what is asked of them is meant."""
_counts: Counter[int] = Counter()


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Take ids that exist in place of those that might."""
    named = case.path_parameters or {}
    replaced = {
        name: existing
        for name, value in named.items()
        if (existing := _existing(name, value, case.method)) is not None
    }
    if replaced:
        case.path_parameters = {**named, **replaced}
    if case.headers and (case.path_parameters or {}).get("workflow_id") != ENDS_AT_ONCE:
        case.headers.pop("Prefer", None)
    if (case.method, case.operation.path) == _REGISTER and _chance.random() > _AS_MADE_UP:
        case.body = _document()
    if isinstance(case.body, dict) and isinstance(case.body.get("inputs"), dict):
        case.body = {**case.body, "inputs": {"query": case.body["inputs"]}}
    if isinstance(case.body, dict) and isinstance(start_at := case.body.get("start_at"), str):
        case.body = {**case.body, "start_at": _TOO_FAR.sub(_past_year, start_at)}


def _document() -> dict[str, Any]:
    """A document that is valid; its version may be there, with the same content or another."""
    number = _chance.randrange(_DOCUMENTS)
    named = {"namespace": _REGISTERED, "name": f"n{number}", "version": f"1.0.{number}"}
    return {
        "document": {"dsl": "1.0.3", **named},
        "do": [{"one": {"set": {"n": _chance.randrange(2)}}}],
    }


def _past_year(year: re.Match[str]) -> str:
    return "2020" if calendar.isleap(int(year[0])) else "2021"


def _existing(name: str, value: Any, method: str) -> str | None:
    if not isinstance(value, str):
        return None
    if value in _registered and method != "DELETE":
        return value
    if value not in SERVED and _chance.random() < _AS_MADE_UP:
        return None
    if name == "workflow_id" and re.fullmatch(WORKFLOW_ID, value):
        return RETIRED if method == "DELETE" else _chance.choice(SERVED)
    if name == "execution_id" and _started and re.fullmatch(EXECUTION_ID, value):
        return _chance.choice(_started)
    return None


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Count it, and remember what was started."""
    _counts[response.status_code] += 1
    if "/api/executions/" in response.headers.get("location", ""):
        _started.append(response.json()["execution_id"])
    if (case.method, case.operation.path) == _REGISTER and response.status_code in (200, 201):
        _registered.add(response.json()["workflow_id"])


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Case[Any], response: Response) -> bool:
    """Keep what is found, but for refusals of what fits its schema and still cannot be right."""
    kind = type(failure).__name__
    if kind in _WRONGLY_ANSWERED:
        return response.json().get("code") not in _NO_SCHEMA_TELLS
    return kind != "UseAfterFree"


@atexit.register
def _write_counts() -> None:
    file = os.environ.get(COUNTS_VARIABLE)
    if file:
        Path(file).write_text(json.dumps(_counts))
