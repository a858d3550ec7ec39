import re
import subprocess
import sys
from pathlib import Path

import pytest

from perdure.model.status import ENDS, TRANSITIONS, Status, allowed, diagram

JOURNAL = Path(__file__).parents[3] / "docs" / "journal.md"


def test_nothing_leaves_an_end_but_an_operators_retry() -> None:
    leaving = {(before, after) for before, after in TRANSITIONS if before.ended}
    assert leaving == {(Status.FAILED, Status.RUNNING)}


def test_every_status_can_be_reached_from_a_start() -> None:
    reached = {Status.PENDING}
    while more := {after for before, after in TRANSITIONS if before in reached} - reached:
        reached |= more
    assert reached == set(Status)


@pytest.mark.parametrize("status", [status for status in Status if status not in ENDS])
def test_everything_that_has_not_ended_can_be_cancelled(status: Status) -> None:
    assert allowed(status, Status.CANCELLED)


def test_what_is_not_in_the_table_is_not_allowed() -> None:
    assert not allowed(Status.COMPLETED, Status.RUNNING)
    assert not allowed(Status.PENDING, Status.COMPLETED)
    assert not allowed(Status.RUNNING, Status.RUNNING)


def test_the_documented_diagram_is_the_table() -> None:
    text = JOURNAL.read_text(encoding="utf-8")
    documented = re.search(r"```mermaid\n(.*?)\n```\n<!-- end of the status diagram", text, re.S)
    assert documented is not None
    assert documented[1] == diagram()


def test_the_module_prints_the_diagram() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "perdure.model.status"], check=True, capture_output=True, text=True
    )
    assert printed.stdout == diagram() + "\n"
