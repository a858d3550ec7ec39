"""That the suite covers every property in scope, and the docs' table says so."""

import re

from tests.conformance.openworkflow.cases import cases
from tests.conformance.openworkflow.table import PAGE, in_scope, page, properties
from tests.support.specification import SPECIFICATION, needs_specification

_ROW = re.compile(r"\|\s*([\w.]+)\s*\|.*\|\s*`?(?:yes|no)`?\s*\|.*")


def test_every_property_in_scope_is_covered() -> None:
    covered = {name for case in cases() for name in case.covers}

    assert covered == in_scope()


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.conformance.openworkflow.table"


@needs_specification
def test_no_property_of_the_reference_is_left_out() -> None:
    reference: dict[str, set[str]] = {}
    section = ""
    for line in (SPECIFICATION / "dsl-reference.md").read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip()
            section = section if title in ("Properties", "Examples") else title
        elif match := _ROW.fullmatch(line.strip()):
            reference.setdefault(section, set()).add(match[1])

    known = properties()
    assert set(known) == set(reference)
    for section, names in known.items():
        assert isinstance(names, str) or set(names) == reference[section], section
