"""What a document is (dsl-reference.md, "Workflow"): the rules of the specification's schema.

Where the schema leaves an object of fixed properties open by omission (the document itself, the
filter of caught errors), a property that it does not have is refused: it would be without effect.
"""

from perdure.openworkflow import formats
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.parts import (
    ANY_OBJECT,
    AUTHENTICATION_POLICY,
    CATALOG,
    DURATION,
    ERROR,
    EVENTS,
    INPUT,
    OUTPUT,
    RETRY_POLICY,
    TEXT,
    TEXTS,
    TIMEOUT,
    TIMEOUT_POLICY,
)
from perdure.openworkflow.validation.shapes import Named, Object, Text, Word
from perdure.openworkflow.validation.tasks import TASK, TASK_LIST

_NAME = Text(
    "a name of 1 to 63 letters, digits and hyphens (none at its ends), as a text", formats.is_name
)
_VERSION = Text(
    'a semantic version in three parts such as "1.0.0", as a text', formats.is_semantic_version
)

_HEADER = Object(
    "the section document",
    {
        "dsl": _VERSION,
        "namespace": _NAME,
        "name": _NAME,
        "version": _VERSION,
        "title": TEXT,
        "summary": TEXT,
        "tags": ANY_OBJECT,
        "metadata": ANY_OBJECT,
    },
    required=["dsl", "namespace", "name", "version"],
)
_EXTENDED = (
    *("call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait"),
    "all",
)
_EXTENSION = Object(
    "an extension",
    {
        "extend": Word(*_EXTENDED),
        "when": TEXT,
        "before": TASK_LIST,
        "after": TASK_LIST,
    },
    required=["extend"],
)
_USE = Object(
    "the section use",
    {
        "authentications": Object("authentications", rest=AUTHENTICATION_POLICY),
        "catalogs": Object("catalogs", rest=CATALOG),
        "errors": Object("errors", rest=ERROR),
        "extensions": Named(_EXTENSION, what="a list of extensions", each="an extension"),
        "functions": Object("functions", rest=TASK),
        "retries": Object("retries", rest=RETRY_POLICY),
        "secrets": TEXTS,
        "timeouts": Object("timeouts", rest=TIMEOUT_POLICY),
    },
)


def _read_goes_with_on(node: Node, found: Collector) -> None:
    members = node.members or {}
    if "read" in members and "on" not in members:
        found.report_key(node, "read", "read goes with on only: remove it, or say on which events")


_SCHEDULE = Object(
    "the section schedule",
    {
        "every": DURATION,
        "cron": TEXT,
        "after": DURATION,
        "on": EVENTS,
        "read": Word("data", "envelope", "raw"),
    },
    rules=[_read_goes_with_on],
)
DOCUMENT = Object(
    "a workflow document",
    {
        "document": _HEADER,
        "input": INPUT,
        "use": _USE,
        "do": TASK_LIST,
        "timeout": TIMEOUT,
        "output": OUTPUT,
        "schedule": _SCHEDULE,
        "evaluate": Object(
            "the section evaluate", {"language": TEXT, "mode": Word("strict", "loose")}
        ),
    },
    required=["document", "do"],
)
"""A document; see `check`."""


def check(root: Node, found: Collector) -> None:
    """Report where the tree has not the structure of a document."""
    DOCUMENT.check(root, found)
