"""What is served, which version is executed, and what is retired."""

import time
from typing import Any

import pytest

from perdure.engine.catalog import Entry, ServedCatalog, check
from perdure.link.messages import ImportProblem
from perdure.ports.journal import Retirement
from perdure.ports.runtime import RefusedError, Served


def catalog(**versions: str) -> ServedCatalog:
    """A catalog of workflows, each with its versions in a text."""
    made = ServedCatalog()
    serve(made, 1, **versions)
    return made


def serve(of: ServedCatalog, generation: int, **versions: str) -> None:
    served = [
        Served(workflow_id=workflow_id, version=version, digest="d")
        for workflow_id, text in versions.items()
        for version in text.split()
    ]
    of.replace(generation, served, ())


def executed(of: ServedCatalog, version: str | None = None) -> str:
    """The version of `w` that is executed, or why none is."""
    try:
        return of.offered("w", version).served.version
    except RefusedError as refused:
        return refused.code


@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        ("1 2 10", "10"),
        ("1.0.0 2.0.0-rc.1", "1.0.0"),
        ("2.0.0-rc.2 2.0.0-rc.10", "2.0.0-rc.10"),
        ("spring 0.1", "0.1"),
        ("spring autumn", "spring"),
    ],
)
def test_the_highest_release_is_executed(versions: str, highest: str) -> None:
    served = catalog(w=versions)
    assert executed(served) == highest
    assert served.versions("w")[0].served.version == highest
    assert [offer.served.version for offer in served.offers("", 9, retired=False)] == [highest]


def test_a_named_version_is_executed() -> None:
    served = catalog(w="1 2")
    assert executed(served, "1") == "1"
    assert executed(served, "3") == "unknown_version"


def test_workflows_are_offered_by_id() -> None:
    served = catalog(c="1", a="1 2", b="1")
    ids = [offer.served.workflow_id for offer in served.offers("", 9, retired=False)]
    assert ids == ["a", "b", "c"]
    assert [o.served.workflow_id for o in served.offers("a", 1, retired=False)] == ["b"]
    assert served.offers("c", 9, retired=False) == []
    assert [o.served.version for o in served.versions("a")] == ["2", "1"]


def test_a_retired_workflow_is_offered_to_those_who_ask_for_it() -> None:
    served = catalog(a="1", w="1 2")
    served.retire([Retirement("w", "2", 5)])
    assert [o.served.workflow_id for o in served.offers("", 9, retired=False)] == ["a"]
    assert [o.retired_at for o in served.offers("", 9, retired=True)] == [None, 5]
    assert [o.retired_at for o in served.versions("w")] == [5, 5]
    assert executed(served) == executed(served, "1") == executed(served, "2") == "workflow_retired"
    assert executed(served, "3") == "unknown_version"
    assert [each.workflow_id for each in served.all()] == ["a"]
    assert served.find("w", "1").served.version == "1", "for children"


def test_a_higher_version_can_be_executed_and_only_that() -> None:
    served = catalog(w="1 2")
    served.retire([Retirement("w", "2", 5)])
    serve(served, 2, w="1 2 2.1-rc.1")
    assert executed(served, "2.1-rc.1") == "workflow_retired", "releases are higher"
    serve(served, 3, w="1 2 2.1")
    assert executed(served) == "2.1"
    assert executed(served, "2") == "workflow_retired"
    assert [o.retired_at for o in served.versions("w")] == [None, 5, 5]
    assert [o.served.version for o in served.offers("", 9, retired=False)] == ["2.1"]


def test_a_retired_workflow_that_is_served_no_more_is_gone_all_the_same() -> None:
    served = catalog(a="1")
    served.retire([Retirement("w", "2", 5)])
    assert executed(served) == "workflow_retired"
    assert served.is_retired("w")
    assert served.highest("w") is None
    with pytest.raises(RefusedError, match="no workflow 'w' is served"):
        served.versions("w")


# -- what is registered ------------------------------------------------------------------------


def document(workflow_id: str, version: str, digest: str = "d") -> Served:
    return Served(workflow_id=workflow_id, version=version, digest=digest, kind="document")


def test_what_is_registered_is_executed_beside_what_is_loaded() -> None:
    served = catalog(w="1 2", p="1")
    served.register([document("w", "1.5"), document("w", "3-rc.1"), document("a", "1")])
    assert [o.served.version for o in served.versions("w")] == ["2", "1.5", "1", "3-rc.1"]
    assert [o.served.workflow_id for o in served.offers("", 9, retired=False)] == ["a", "p", "w"]
    assert served.find("w", "1.5").registered
    serve(served, 2)
    assert [o.served.version for o in served.versions("w")] == ["1.5", "3-rc.1"]
    assert [o.served.workflow_id for o in served.offers("", 9, retired=False)] == ["a", "w"]
    assert executed(served) == "1.5"


def test_what_is_registered_counts_and_the_file_is_a_problem() -> None:
    served = ServedCatalog()
    served.register([document("w", "1", "registered"), document("w", "2", "same")])
    loaded = [document("w", "1", "of a file"), document("w", "2", "same"), document("w", "3")]
    [problem] = served.new_problems(loaded, ())
    assert problem.path == "w version 1"
    served.replace(1, loaded, [ImportProblem("a.py", "why")])
    assert [each.path for each in served.problems] == ["a.py", "w version 1"]
    assert served.new_problems(loaded, ()) == [], "it is no news any more"
    assert served.find("w", "1").served.digest == "registered"
    assert executed(served) == "3"
    serve(served, 2)
    assert served.problems == []


def test_what_is_registered_is_retired_too() -> None:
    served = ServedCatalog()
    served.register([document("w", "1"), document("w", "2")])
    served.retire([Retirement("w", "2", 5)])
    assert executed(served) == executed(served, "1") == "workflow_retired"
    served.register([document("w", "1.5")])
    assert executed(served) == "workflow_retired"
    served.register([document("w", "2.1")])
    assert executed(served) == "2.1"


def test_one_with_tasks_that_are_not_executed_yet_is_not_started() -> None:
    served = ServedCatalog()
    tasks = tuple(f"call grpc at /do/{number}/greet" for number in range(12))
    unsupported = Served(workflow_id="w", version="1", digest="d", unsupported=tasks)
    served.register([unsupported])
    with pytest.raises(RefusedError, match="call grpc at /do/9/greet; and 2 more") as refused:
        check(served.offered("w", None), b"{}")
    assert refused.value.code == "unsupported_task"


def test_a_schema_that_is_none_is_a_problem_of_its_file() -> None:
    served = ServedCatalog()
    broken = Served(workflow_id="w", version="1", digest="d", input_schema=b'{"type": 5}')
    served.replace(1, [broken, document("a", "1")], ())
    [problem] = served.problems
    assert problem.path == "w version 1"
    assert [each.workflow_id for each in served.all()] == ["a"]


@pytest.mark.parametrize(
    ("more", "location"),
    [
        ({"input_schema": b'{"type": 5}'}, "/input/schema"),
        ({"input_schema": b'{"title": "%s"}' % (b"x" * 262_144)}, "/input/schema"),
        ({"tags": dict.fromkeys(map(str, range(65)), "")}, "/document/tags"),
        ({"tags": {"n" * 129: ""}}, "/document/tags"),
        ({"tags": {"n": "x" * 257}}, "/document/tags"),
        ({"tags": {"n" * 128: "x" * 256}}, None),
    ],
    ids=str,
)
def test_what_is_said_of_a_document_has_limits(more: dict[str, Any], location: str | None) -> None:
    served = Served(workflow_id="w", version="1", digest="d", kind="document", **more)
    found = [each.location for each in Entry(served).faults()]
    assert found == ([] if location is None else [location])


def test_ten_thousand_are_taken_up_fast() -> None:
    served = ServedCatalog()
    began = time.process_time()
    served.register(document(f"w{number % 5_000}", f"1.0.{number}") for number in range(10_000))
    assert time.process_time() - began < 2.0
    assert len(served.offers("", 20_000, retired=False)) == 5_000
