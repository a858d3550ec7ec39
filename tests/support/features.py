"""The scenarios of the conformance kit, as Cucumber's own parser reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gherkin import parser_types
from gherkin.parser import Parser


@dataclass(frozen=True)
class Step:
    """A step: its text without the keyword, and the text below it, if there is one."""

    text: str
    document: str | None
    line: int


@dataclass(frozen=True)
class Scenario:
    """One scenario of a feature."""

    feature: Path
    name: str
    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Names it among all scenarios of the kit."""
        return f"{self.feature.stem}: {self.name}"


def scenarios(feature: Path) -> list[Scenario]:
    """The scenarios of a feature, in order.

    Raises gherkin.errors.CompositeParserException for a file that is no feature, ValueError for
    what this kit has no use for: rules, backgrounds, outlines, tables.
    """
    parsed = Parser().parse(feature.read_text(encoding="utf-8"))["feature"]
    found = []
    children: list[Any] = parsed["children"]
    for child in children:
        if "scenario" not in child or child["scenario"]["examples"]:
            raise ValueError(f"{feature}: only plain scenarios are understood, not {child}")
        scenario = child["scenario"]
        steps = tuple(_step(step, feature) for step in scenario["steps"])
        found.append(Scenario(feature, scenario["name"], steps))
    return found


def _step(step: parser_types.Step, feature: Path) -> Step:
    line = step["location"]["line"]
    if "dataTable" in step:
        raise ValueError(f"{feature}:{line}: tables are not understood")
    document = step["docString"]["content"] if "docString" in step else None
    return Step(step["text"], document, line)
