"""What is said of invalid documents: every problem, with its place, in words to act on."""

from typing import Any

import pytest

from tests.conformance.invalid import cases, said

_CASES = cases()


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_all_problems_are_said(case: dict[str, Any]) -> None:
    assert case["findings"]
    assert said(case["document"]) == case["findings"]


def test_there_are_sixty_documents_and_no_two_are_one() -> None:
    assert len({case["document"] for case in _CASES}) == len(_CASES) >= 60
