"""What is served, which version is executed, and what is retired."""

import pytest

from perdure.engine.catalog import ServedCatalog
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
