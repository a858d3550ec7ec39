"""Which files are documents, and what loading them says."""

import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from perdure.bootstrap.document_files import documents_in, looks_like_one
from perdure.bootstrap.loading import load
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES, DocumentProblem, Served
from perdure.worker.catalog import Loaded
from perdure.worker.programs import Validation

DOCUMENT = "document:\n  dsl: 1.0.3\n  name: {name}\n  version: {version}\ndo: []\n"
FLOW = """
from perdure import workflow

@workflow(id="python_flow", version="1")
async def flow() -> None: ...
"""

Write = Callable[..., Path]


class Program:
    """Stands for a compiled document."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def served(self) -> Served:
        raise AssertionError("it is announced by its validation")

    async def begin(self, inputs: bytes) -> bytes:
        return self.body + inputs


def validate(source: bytes) -> Validation:
    """Takes a document line by line; one that has a tab is wrong there."""
    if b"\t" in source or len(source) > DOCUMENT_LIMIT_BYTES:
        problems = [DocumentProblem("/do", 5, 1, "has a tab"), DocumentProblem("", 6, 2, "ends")]
        return Validation(problems=problems)
    lines = [line.partition(":") for line in source.decode().splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    served = Served(
        workflow_id=fields["name"], version=fields["version"], digest="d", kind="document"
    )
    return Validation(served=served, body=b"body ")


def loaded(*paths: Path | str) -> Loaded:
    return load([str(path) for path in paths], validate, Program)


def found(its: Loaded) -> list[str]:
    return sorted(f"{each.workflow_id} {each.version}" for each in its.served)


def the_problem(its: Loaded) -> str:
    (problem,) = its.problems
    return problem.detail


@pytest.fixture(autouse=True)
def _imports_undone() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, workflow: str = "flow", version: str = "1.0.0", more: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DOCUMENT.format(name=workflow, version=version) + more, encoding="utf-8")
        return path

    return write


async def test_a_document_is_loaded_and_compiled_when_it_is_executed(write: Write) -> None:
    its = loaded(write("flow.yaml"))
    assert (found(its), its.problems) == (["flow 1.0.0"], [])
    entry = its.find("flow", "1.0.0")
    assert entry is not None
    definition, digest = entry
    assert digest == "d"
    coroutine: Coroutine[Any, Any, bytes] = definition.begin(b"{}")
    assert await coroutine == b"body {}"


def test_nothing_is_no_problem() -> None:
    its = loaded()
    assert (found(its), its.problems) == ([], [])


def test_of_a_folder_what_looks_like_a_document_is_loaded(write: Write, tmp_path: Path) -> None:
    folder = write("all/a.yaml", "a").parent
    write("all/b.yml", "b")
    write("all/_left_out.yaml", "c")
    write("all/.hidden.yaml", "d")
    write("all/below/e.yaml", "e")
    write("all/broken.yaml", "f", more="\t")
    (folder / "flows.py").write_text(FLOW)
    (folder / "compose.yaml").write_text("services:\n  dsl: x\n  document: y\n")
    (folder / "package.json").write_text('{"name": "x", "dsl": 1}')
    (folder / "pipe.yaml").mkdir()
    its = loaded(folder)
    assert found(its) == ["a 1.0.0", "b 1.0.0", "python_flow 1"]
    assert the_problem(its).splitlines() == [
        f"{folder}/broken.yaml:5:1: /do: has a tab",
        f"{folder}/broken.yaml:6:2: ends",
    ]


def test_a_folder_of_documents_alone_is_served(write: Write) -> None:
    folder = write("some/a.yaml").parent
    assert (found(loaded(folder)), loaded(folder).problems) == (["flow 1.0.0"], [])


def test_a_version_is_declared_once(write: Write) -> None:
    one, other = write("one.yaml"), write("other.yml")
    its = loaded(one, other, one, one.parent)
    assert found(its) == ["flow 1.0.0"]
    assert str(one) in the_problem(its)
    assert str(other) in the_problem(its)
    assert "declared twice" in the_problem(its)


def test_documents_and_python_workflows_have_one_namespace(write: Write, tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FLOW)
    same, higher = write("same.yaml", "python_flow", "1"), write("next.yaml", "python_flow", "2")
    its = loaded(same, tmp_path / "flows.py", higher)
    assert found(its) == ["python_flow 1", "python_flow 2"]
    assert f"{tmp_path}/flows.py:" in the_problem(its)


def test_what_cannot_be_read_is_a_problem(write: Write, tmp_path: Path) -> None:
    assert the_problem(loaded(tmp_path / "gone.yaml")) == "there is no such file or folder"
    large = write("large.yaml", more=" " * DOCUMENT_LIMIT_BYTES)
    assert f"{large}:5:1:" in the_problem(loaded(large))


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        (DOCUMENT, True),
        ('{"document": {"dsl": "1.0.3"}}', True),
        ('{\n  "document": {"dsl": "1.0.3"}}', True),
        ("# first a word\n---\n'document':\n  dsl: '1.0.3'\n", True),
        ('{"a": {"document": {"dsl": "1.0.3"}}}', False),
        ("parts:\n  document:\n    dsl: 1\n", False),
        ("document: of another kind\n", False),
        ("", False),
    ],
)
def test_what_looks_like_a_document(tmp_path: Path, text: str, looks: bool) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text)
    assert looks_like_one(file) == looks
    assert documents_in(tmp_path) == ([file] if looks else [])
