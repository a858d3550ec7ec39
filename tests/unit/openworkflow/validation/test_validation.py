"""`validate`: bounded and never raising; what it gives for what is valid."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.openworkflow.program import DocumentProgram
from perdure.openworkflow.reading import LIMIT_BYTES
from perdure.openworkflow.types import decode
from perdure.openworkflow.validation import LIMIT_FINDINGS, Report, validate
from tests.support.mutations import Mutations

HEADER = {"dsl": "1.0.3", "namespace": "test", "name": "sample", "version": "1.0.0"}


def document(*tasks: Any, **sections: Any) -> bytes:
    """A document with tasks that are called t0, t1, …"""
    do = [{f"t{index}": task} for index, task in enumerate(tasks)]
    return json.dumps({"document": HEADER, **sections, "do": do}).encode()


def messages(source: bytes) -> list[str]:
    return [f"{found.location}: {found.message}" for found in validate(source).findings]


# -- what is valid ---------------------------------------------------------------------------


def test_a_valid_document_has_a_body_and_an_announcement() -> None:
    report = validate(b"document: {dsl: 1.0.3, namespace: a, name: b, version: 1.0.0}\ndo: []\n")
    assert report.findings == ()
    assert report.body == (
        b'{"document":{"dsl":"1.0.3","namespace":"a","name":"b","version":"1.0.0"},"do":[]}'
    )
    assert report.served is not None
    assert report.served.workflow_id == "a.b"
    assert report.served.digest == sha256(report.body).hexdigest()


def test_one_document_in_json_and_yaml_is_one_body() -> None:
    from_json = validate(document({"set": {"ä": [1, 1.5, None]}}))
    from_yaml = validate(
        "document: {dsl: 1.0.3, namespace: test, name: sample, version: 1.0.0}\n"
        "do:\n- t0:\n    set:\n      ä: [1, 1.5, ~]\n".encode()
    )
    assert from_json.body == from_yaml.body is not None


def test_the_order_of_keys_is_kept_since_outputs_show_it() -> None:
    one = validate(document({"set": {"b": 1, "a": 2}}))
    other = validate(document({"set": {"a": 2, "b": 1}}))
    assert one.served is not None
    assert other.served is not None
    assert one.served.digest != other.served.digest


def test_a_task_that_is_no_http_method_and_other_arguments_are_left_alone() -> None:
    mcp = {
        "call": "mcp",
        "with": {"method": "tools/list", "transport": {"stdio": {"command": "a"}}},
    }
    assert messages(document(mcp)) == []


def test_texts_of_loose_mode_need_not_be_expressions() -> None:
    task = {"set": {"a": ".b | nothing"}}
    assert messages(document(task, evaluate={"mode": "loose"})) == []


def test_expressions_of_an_unknown_language_are_not_compiled() -> None:
    found = messages(document({"set": {"a": "${ ??? }"}}, evaluate={"language": "js"}))
    assert found == ['/evaluate/language: expected jq, found "js": it is the only one']


def test_reusable_parts_have_what_there_is_where_they_are_used() -> None:
    retries = {"own": {"when": "$problem.status == 503"}}
    task = {"try": [{"a": {"set": {"b": 1}}}], "catch": {"as": "problem", "retry": "own"}}
    assert messages(document(task, use={"retries": retries})) == []
    other = {**task, "catch": {"retry": "own"}}
    (found,) = messages(document(task, other, other, use={"retries": retries}))
    assert found.startswith("/use/retries/own/when: ")
    (unused,) = messages(document(use={"retries": retries}))
    assert unused.startswith("/use/retries/own/when: ")


@pytest.mark.parametrize(
    ("functions", "circles"),
    [
        ({"a": {"call": "a"}}, ["/use/functions/a/call"]),
        ({"a": {"call": "b"}, "b": {"call": "a"}}, ["/use/functions/b/call"]),
        ({"a": {"do": [{"x": {"call": "b"}}, {"y": {"call": "b"}}]}, "b": {"set": {"c": 1}}}, []),
        ({"a": {"call": "b"}, "b": {"call": "c"}, "c": {"set": {"d": 1}}, "d": {"call": "a"}}, []),
    ],
)
def test_circular_functions_are_found(functions: Any, circles: list[str]) -> None:
    report = validate(document({"call": "a"}, use={"functions": functions}))
    assert [found.location for found in report.findings] == circles


def test_a_long_chain_of_functions_is_no_circle() -> None:
    functions: dict[str, Any] = {f"f{n}": {"call": f"f{n + 1}"} for n in range(5_000)}
    functions["f5000"] = {"set": {"a": 1}}
    assert messages(document({"call": "f0"}, use={"functions": functions})) == []
    functions["f5000"] = {"call": "f0"}
    (found,) = messages(document({"call": "f0"}, use={"functions": functions}))
    assert "f0 → f1 → f2 → f3 → … → f0" in found


# -- bounds ----------------------------------------------------------------------------------


def bounded(report: Report) -> bool:
    """Whether a report says what is wrong, or that nothing is, within limits and in order."""
    places = [(found.line, found.column) for found in report.findings]
    size = sum(len(found.location) + len(found.message) for found in report.findings)
    return (
        (report.body is None) == (report.served is None) == bool(report.findings)
        and len(places) <= LIMIT_FINDINGS + 1
        and places == sorted(places)
        and size < 1_000_000
    )


def test_findings_are_in_document_order_and_bounded() -> None:
    source = document(*({"sett": 1} for _ in range(300)))
    report = validate(source)
    assert bounded(report)
    assert len(report.findings) == LIMIT_FINDINGS + 1
    assert report.findings[-1].message == "there are more problems than these 100"
    assert report.findings[0].location == "/do/0/t0/sett"


def test_structure_and_meaning_are_told_together() -> None:
    found = messages(document({"set": {}, "then": "t9"}, {"wait": {"secs": 1}}))
    assert [text.partition(":")[0] for text in found] == [
        "/do/0/t0/set",
        "/do/0/t0/then",
        "/do/1/t1/wait/secs",
    ]


@pytest.mark.parametrize(
    "source",
    [
        document(*({"set": {"a": "${ .b }"}} for _ in range(10_000))),
        document(*({"set": {"a": 1}, "then": "nowhere"} for _ in range(5_000))),
        document({"set": {f"k{n}": n for n in range(90_000)}}),
        document({f"k{n}": n for n in range(90_000)}),
        document({"do": [{"a" * 1_000: {"a" * 1_000: {}}}]}, **{"b" * 1_000: 1}),
        document({"set": {"a": "${" + "(" * 500_000 + "}"}}),
        document({"set": {"a": "${ " + ".a|" * 200_000 + ". }"}}),
        document({"wait": "P" + "1" * 500_000 + "Y"}),
        document({"wait": {"days": 2**63}}),
        document({"call": "http", "with": {"method": "g" * 500_000, "endpoint": "{" * 500_000}}),
        document({"call": "a" * 500_000, "then": "b" * 500_000}),
        document(input={"schema": {"document": {"pattern": "(a{1000}){1000}"}}}),
        document(
            input={"schema": {"document": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#"}}}}}
        ),
        b"[" * LIMIT_BYTES,
        b'{"document":' * 80_000,
        b"a: &a [*a]",
    ],
    ids=range(16),
)
def test_an_attack_is_answered_within_bounds(source: bytes) -> None:
    assert bounded(validate(source))


def test_what_is_nested_to_the_limit_is_validated() -> None:
    task: Any = {"set": {"a": 1}}
    for _ in range(31):
        task = {"do": [{"t": task}]}
    assert messages(document(task)) == []
    assert "nested deeper" in messages(document({"do": [{"t": {"do": [{"t": task}]}}]}))[0]


# -- for all inputs --------------------------------------------------------------------------

_WORDS = """
document do use call http with method endpoint set for in try catch retry then if when input
schema from output as timeout after switch fork branches listen to any until one emit event raise
error type status wait seconds functions errors retries secrets basic oauth2 foreach 1.0.3 end
${.a} ${ PT1S https://a.example {a t0
"""
_words = st.sampled_from(_WORDS.split())
_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words | st.text(max_size=5),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.dictionaries(_words | st.text(max_size=3), parts, max_size=4)
    ),
    max_leaves=25,
)


@given(st.dictionaries(_words, _trees, max_size=6))
def test_no_tree_makes_it_raise(tree: Any) -> None:
    assert bounded(validate(json.dumps({"document": HEADER, "do": [], **tree}).encode()))


@given(_trees)
def test_no_task_makes_it_raise(tree: Any) -> None:
    assert bounded(validate(document(tree, use={"functions": {"a": tree}})))


@given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
def test_no_text_makes_it_raise(source: bytes) -> None:
    assert bounded(validate(source))


def test_what_is_accepted_can_be_decoded_and_hosted() -> None:
    seeds = [
        json.loads(document({"set": {"a": "${ .b }"}, "then": "end"}, {"wait": {"seconds": 1}})),
        json.loads(
            document(
                {"call": "http", "with": {"method": "get", "endpoint": "https://a.example/{id}"}},
                {"try": [{"a": {"raise": {"error": "e"}}}], "catch": {"retry": {"delay": "PT1S"}}},
                {"for": {"in": ".a"}, "do": [{"b": {"set": {"c": "${ $item }"}}}]},
                use={"errors": {"e": {"type": "https://a.example", "status": 400}}},
            )
        ),
    ]
    mutations = Mutations(seeds, seed=4)
    accepted = 0
    for _ in range(2_000):
        report = validate(json.dumps(mutations.next()).encode())
        assert bounded(report)
        if report.body is not None:
            accepted += 1
            decode(json.loads(report.body))
            DocumentProgram(report.body, None, None)  # type: ignore[arg-type]
    assert accepted > 200
