"""The cases of the conformance suite: ``suite/*.yaml``, a file for each topic.

A case has a `name`, the properties of dsl-reference.md that it `covers` (``Section: property``), a
`document` without its header, and an `input`. What is outside of the document is played:
`responses` to calls by URI, `secrets`, `children` by their workflow id. It says what comes of it:
the `output`, or the `error` (those properties that it names); and, where that matters, the
`requests` that were sent (those properties that it names), how much time it `took`, and the
`positions` at which tasks, timers and children were recorded.

In what is expected ``<any>`` stands for any value, ``<uuid>`` and ``<time>`` for such texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from perdure.machine import commands as c
from perdure.model.failure import Failure
from perdure.openworkflow.durations import milliseconds
from tests.support.documents import Child, DocumentRun, Response

SUITE = Path(__file__).parent / "suite"
_ABSENT: Any = object()
_FORMS = {
    "<uuid>": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
}
_RECORDED = (c.RunTask, c.StartTimer, c.StartChild)


@dataclass(kw_only=True)
class Case:
    """One case, as it stands in its file."""

    topic: str
    name: str
    covers: list[str]
    document: dict[str, Any]
    input: Any = None
    responses: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Any] = field(default_factory=dict)
    output: Any = _ABSENT
    error: dict[str, Any] | None = None
    requests: list[dict[str, Any]] | None = None
    took: str | None = None
    positions: list[str] | None = None

    def run(self, *, crashes: bool) -> DocumentRun:
        """Run it to its end."""
        return DocumentRun(
            self.document,
            self.input,
            responses={uri: _responses(each) for uri, each in self.responses.items()},
            secrets=self.secrets,
            children={name: _child(each) for name, each in self.children.items()},
            crashes=crashes,
        ).run()

    def check(self, run: DocumentRun) -> None:
        """Hold what came of it against what it says."""
        if self.error is not None:
            actual = msgspec.to_builtins(run.error)
            assert fits({**actual, **self.error}, actual), actual
        else:
            assert self.output is not _ABSENT, "a case says what comes of it"
            assert fits(self.output, run.output), run.output
        if self.requests is not None:
            sent = msgspec.json.decode(msgspec.json.encode(run.calls.requests))
            assert len(sent) == len(self.requests), sent
            for expected, actual in zip(self.requests, sent, strict=True):
                assert fits({**actual, **expected}, actual), actual
        if self.took is not None:
            assert run.took_ms == milliseconds(self.took)
        if self.positions is not None:
            assert run.positions(*_RECORDED) == self.positions


def fits(expected: Any, actual: Any) -> bool:
    """Whether a value is what was expected."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(
            fits(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(fits, expected, actual))
    if expected == "<any>":
        return True
    if isinstance(expected, str) and expected in _FORMS:
        return isinstance(actual, str) and _FORMS[expected].fullmatch(actual) is not None
    return type(expected) is type(actual) and bool(expected == actual)


def cases() -> Iterator[Case]:
    """Every case of the suite."""
    for path in sorted(SUITE.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text()):
            yield Case(topic=path.stem, **case)


def _responses(given: Any) -> list[Response]:
    """One response, or several in turn."""
    several = given if isinstance(given, list) else [given]
    return [
        Response(
            status=each.get("status", 200),
            content=each.get("content"),
            takes_ms=milliseconds(each.get("takes", "PT0S")),
        )
        for each in several
    ]


def _child(given: dict[str, Any]) -> Child:
    error = given.get("error")
    return Child(
        output=given.get("output"),
        error=msgspec.convert(error, Failure) if error is not None else None,
        takes_ms=milliseconds(given.get("takes", "PT0S")),
    )
