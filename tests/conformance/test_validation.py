"""Validation agrees with the specification's schema, but for what is listed here."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from perdure.openworkflow.expressions import is_expression
from perdure.openworkflow.findings import Finding
from perdure.openworkflow.reading import Node, read
from perdure.openworkflow.validation import structure, validate
from perdure.openworkflow.validation.collector import Collector, EnoughError
from tests.support.mutations import Mutations
from tests.support.specification import SPECIFICATION, examples, needs_specification

pytestmark = needs_specification

_SEED = 20_260_729
_DOCUMENTS = 12_000
_EVERYTHING = Path(__file__).with_name("everything.yaml")


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_an_example_is_accepted(path: Any) -> None:
    report = validate(path.read_bytes())
    assert not report.findings
    assert report.body is not None
    assert report.served is not None


def test_a_document_with_everything_is_accepted() -> None:
    assert not validate(_EVERYTHING.read_bytes()).findings


STRICTER = {
    r"^a workflow document has no property": "the schema leaves the document open: a section "
    "whose name is mistyped would be without effect",
    r"^(catch\.errors|an error filter) has no property": "the schema leaves filters of "
    "errors open: a property that is mistyped would catch other errors than meant",
    r"^expected an integer.* found the number -?\d+\.0$": "JSON Schema takes 404.0 for an integer",
}
"""What we refuse and the schema does not: our messages, and why."""

_TWO_SCHEMES = re.compile(r"(/use/authentications/[^/]*)/(basic|bearer|digest|oauth2|oidc)")
"""Of two schemes in a reusable policy the schema takes one, where the other one is malformed."""


def _spans_lines(tree: Any) -> bool:
    if isinstance(tree, dict | list):
        return any(
            _spans_lines(part) for part in (tree.values() if isinstance(tree, dict) else tree)
        )
    return isinstance(tree, str) and is_expression(tree) and "\n" in tree


LAXER: dict[str, Callable[[Any], bool]] = {
    "the schema's pattern of an expression has no line breaks in it": _spans_lines,
}
"""What we accept and the schema does not: why, and whether a document has it."""


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    """The specification's schema; its formats count, or its oneOf would take no expression."""
    schema = read((SPECIFICATION / "schema" / "workflow.yaml").read_bytes()).value
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


_HEADER = {"dsl": "1.0.3", "namespace": "test", "name": "sample", "version": "1.0.0"}


def _caught(errors: Any) -> Any:
    return [{"a": {"try": [], "catch": {"errors": errors}}}]


_TWO = {"basic": {"username": "a", "password": "b"}, "bearer": {}}


@pytest.mark.parametrize(
    ("sections", "ours"),
    [
        ({"outputs": {}}, False),
        ({"do": _caught({"whith": {"status": 404}})}, False),
        ({"do": _caught({"with": {"status": 404, "tytle": "a"}})}, False),
        ({"do": [{"a": {"wait": {"seconds": 5.0}}}]}, False),
        ({"use": {"authentications": {"a": _TWO}}}, False),
        ({"do": [{"a": {"wait": "${\n.a\n}"}}]}, True),
    ],
)
def test_each_difference_is_one(
    validator: jsonschema_rs.Draft202012Validator, sections: Any, ours: bool
) -> None:
    document = {"document": _HEADER, "do": [], **sections}
    findings = _structural(document)
    assert (not findings) is ours
    assert validator.is_valid(document) is not ours
    assert _is_known(document, findings)


def test_mutated_documents_get_the_answer_of_the_schema(
    validator: jsonschema_rs.Draft202012Validator,
) -> None:
    paths = [*examples(), *[_EVERYTHING] * 10]
    mutations = Mutations([read(path.read_bytes()).value for path in paths], _SEED)
    accepted = 0
    for _ in range(_DOCUMENTS):
        document = mutations.next()
        findings = _structural(document)
        theirs = validator.is_valid(document)
        accepted += theirs
        if bool(findings) is theirs:
            assert _is_known(document, findings), (document, findings)
    assert 1_000 < accepted < _DOCUMENTS - 1_000


def _structural(document: Any) -> list[Finding]:
    found = Collector()
    with contextlib.suppress(EnoughError):
        structure.check(_node(document), found)
    return found.findings


def _node(value: Any) -> Node:
    if isinstance(value, dict):
        members = {key: _node(member) for key, member in value.items()}
        return Node(value, 1, 1, members, keys=dict.fromkeys(members, (1, 1)))
    if isinstance(value, list):
        return Node(value, 1, 1, items=[_node(item) for item in value])
    return Node(value, 1, 1)


def _is_known(document: Any, findings: list[Finding]) -> bool:
    if not findings:
        return any(has_it(document) for has_it in LAXER.values())
    policies = tuple(
        f"{match[1]}/"
        for f in findings
        if (match := _TWO_SCHEMES.fullmatch(f.location)) and "cannot stand beside" in f.message
    )
    others = [f for f in findings if not f.location.startswith(policies)]
    return all(any(re.search(text, f.message) for text in STRICTER) for f in others)
