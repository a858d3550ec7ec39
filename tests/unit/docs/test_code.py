"""The Python that the documentation shows is Python, and its workflows load."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.authoring.loading import load
from tests.support.markdown import Block, blocks, pages

SHOWN = [block for page in pages() for block in blocks(page) if block.language == "python"]
WITH_WORKFLOWS = [block for block in SHOWN if block.title and "@workflow" in block.text]


@pytest.fixture(autouse=True)
def _imports_undone() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.place)
def test_it_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", WITH_WORKFLOWS, ids=lambda block: block.place)
def test_its_workflows_load(block: Block, tmp_path: Path) -> None:
    file = tmp_path / block.title
    file.write_text(block.text, encoding="utf-8")
    catalog = load([file])
    assert not catalog.problems
    for workflow in catalog.workflows.values():
        assert workflow.served().input_schema


def test_there_is_something_to_hold() -> None:
    assert len(WITH_WORKFLOWS) > 5
