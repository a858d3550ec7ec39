"""Makes the table of properties: ``python -m tests.conformance.openworkflow.table``."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.openworkflow.cases import Case, cases

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"
_PROPERTIES = Path(__file__).with_name("properties.yaml")
_HEAD = """# Conformance, property by property

What documents do with each property of the Open Workflow DSL reference (1.0.3), shown by a suite
of our own: `tests/conformance/openworkflow/suite`, a file for each topic. Each case runs
undisturbed and with a crash behind every commit, to the same end, and its document passes
validation. What the suite cannot play, calls over a network above all, is shown by other tests, as
are the specification's own conformance kit and examples.

Where the specification leaves something open, or contradicts itself,
[Documents: Running](documents.md#running) says how we read it.

This page is made by `python -m tests.conformance.openworkflow.table`.
"""


def properties() -> dict[str, dict[str, str | None] | str]:
    """The properties of the reference by section; what is not in scope has a reason."""
    read: dict[str, Any] = yaml.safe_load(_PROPERTIES.read_text())
    return read


def in_scope() -> set[str]:
    """What the suite has to cover, as ``Section: property``."""
    return {
        f"{section}: {name}"
        for section, names in properties().items()
        if isinstance(names, dict)
        for name, reason in names.items()
        if reason is None
    }


def page() -> str:
    """The page as it has to be."""
    covered: dict[str, list[Case]] = defaultdict(list)
    for case in cases():
        for name in case.covers:
            covered[name].append(case)
    lines = [_HEAD]
    outside = []
    for section, names in properties().items():
        if isinstance(names, str):
            outside.append(f"| {section} | {names} |")
            continue
        lines += [f"## {section}", "", "| property | shown by |", "| --- | --- |"]
        for name, reason in names.items():
            shown = reason or _cases(covered[f"{section}: {name}"])
            lines.append(f"| `{name}` | {shown} |")
        lines.append("")
    lines += ["## What is not in scope yet", "", "| section | why |", "| --- | --- |", *outside, ""]
    return "\n".join(lines)


def _cases(shown_by: Iterable[Case]) -> str:
    return "<br>".join(f"{case.topic}: {case.name}" for case in shown_by)


if __name__ == "__main__":
    PAGE.write_text(page())
