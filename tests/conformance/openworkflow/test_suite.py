"""Our own conformance suite, each case undisturbed and with a crash behind every commit."""

import json

import pytest

from perdure.openworkflow.validation import validate
from tests.conformance.openworkflow.cases import Case, cases
from tests.support.documents import HEADER

ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.topic}: {case.name}")
def test_it_runs_as_it_says(case: Case) -> None:
    case.check(case.run(crashes=False))


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.topic}: {case.name}")
def test_a_crash_behind_every_commit_changes_nothing(case: Case) -> None:
    undisturbed, crashed = case.run(crashes=False), case.run(crashes=True)

    case.check(crashed)
    assert crashed.record == undisturbed.record
    assert crashed.calls.requests == undisturbed.calls.requests


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.topic}: {case.name}")
def test_validation_accepts_its_document(case: Case) -> None:
    report = validate(json.dumps({"document": HEADER, **case.document}).encode())

    assert report.findings == ()
    assert report.served is not None
    assert report.served.unsupported == ()


def test_names_are_unique() -> None:
    names = [(case.topic, case.name) for case in ALL]

    assert len(set(names)) == len(names)
