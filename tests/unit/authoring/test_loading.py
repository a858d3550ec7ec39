import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perdure.authoring.loading import Catalog, load, resolve
from perdure.model.exceptions import DefinitionError

FLOW = """
from perdure import task, workflow

@task
async def work(number: int) -> int:
    return number

@workflow(id="{id}", version="{version}")
async def flow(number: int) -> int:
    return await work(number)
"""

Write = Callable[..., Path]


def flow(id: str = "flow", version: str = "1") -> str:
    return FLOW.format(id=id, version=version)


@pytest.fixture(autouse=True)
def _imports_undone() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, source: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return path

    return write


def found(catalog: Catalog) -> list[str]:
    return sorted(f"{id} {version}" for id, version in catalog.workflows)


def the_problem(catalog: Catalog) -> str:
    (problem,) = catalog.problems
    return problem.detail


# -- files and folders -------------------------------------------------------------------------


def test_a_file_is_loaded(write: Write) -> None:
    catalog = load([write("one_file.py", flow())])
    assert found(catalog) == ["flow 1"]
    assert catalog.problems == []


def test_a_file_loaded_twice_is_loaded_once(write: Write) -> None:
    path = write("one_file.py", flow())
    catalog = load([path, str(path)])
    assert found(catalog) == ["flow 1"]
    assert catalog.problems == []


def test_a_folder_is_its_files_and_its_packages(write: Write, tmp_path: Path) -> None:
    write("first.py", flow("first"))
    write("_private.py", "raise ValueError")
    write("notes.txt", "nothing")
    write("a_package/__init__.py", flow("of-the-package"))
    write("a_package/_hidden.py", "NUMBER = 1")
    write("a_package/inner.py", "from ._hidden import NUMBER\n" + flow("inner"))
    write("a_package/sub/__init__.py")
    write("a_package/sub/deep.py", "from ..inner import work\n" + flow("deep"))
    write("plain_folder/other.py", flow("other"))
    catalog = load([tmp_path])
    assert found(catalog) == ["deep 1", "first 1", "inner 1", "of-the-package 1"]
    assert catalog.problems == []
    assert "a_package.sub.deep" in sys.modules


def test_a_folder_in_a_package_and_a_file_in_one_are_imported_as_its_modules(
    write: Write, tmp_path: Path
) -> None:
    write("a_package/__init__.py")
    path = write("a_package/one.py", flow("one"))
    write("a_package/sub/__init__.py")
    write("a_package/sub/two.py", "from ..one import flow as imported\n" + flow("two"))
    catalog = load([path, tmp_path / "a_package" / "sub"])
    assert found(catalog) == ["one 1", "two 1"]
    assert catalog.problems == []


def test_files_can_import_their_neighbours(write: Write) -> None:
    write("neighbour_module.py", flow("neighbour"))
    path = write("importing_module.py", "from neighbour_module import flow, work\n")
    catalog = load([path, path.parent])
    assert found(catalog) == ["neighbour 1"]
    assert catalog.problems == []


def test_a_file_called_like_another_module_shadows_nothing(write: Write) -> None:
    paths = [write("json.py", flow("a")), write("test.py", flow("b")), write("a-b c.py", flow("c"))]
    before = sys.modules["json"]
    catalog = load(paths)
    assert found(catalog) == ["a 1", "b 1", "c 1"]
    assert catalog.problems == []
    assert sys.modules["json"] is before


def test_files_of_the_same_name_are_two_modules(write: Write) -> None:
    catalog = load([write("x/same_name.py", flow("a")), write("y/same_name.py", flow("b"))])
    assert found(catalog) == ["a 1", "b 1"]


def test_a_package_whose_name_is_taken_says_so(write: Write) -> None:
    write("email/__init__.py")
    detail = the_problem(load([write("email/flows.py", flow())]))
    assert "the name email belongs to" in detail
    assert "rename the folder" in detail


def test_modules_are_loaded_by_dotted_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("dotted_package/__init__.py")
    write("dotted_package/flows.py", flow())
    monkeypatch.chdir(tmp_path)
    catalog = load(["dotted_package.flows"])
    assert found(catalog) == ["flow 1"]
    assert catalog.problems == []


# -- problems ----------------------------------------------------------------------------------


def test_a_module_that_cannot_be_imported_leaves_the_others(write: Write) -> None:
    broken = write("broken.py", "import sys\n\nimport not_there_at_all\n")
    catalog = load([broken, write("fine.py", flow())])
    assert found(catalog) == ["flow 1"]
    assert catalog.problems == [
        (str(broken), f"{broken}:3: ModuleNotFoundError: No module named 'not_there_at_all'")
    ]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1\ny = = 2\n", ":2: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)\n", ":2: SystemExit: 3"),
        ("def f():\n    raise ValueError('no')\nf()\n", ":2: ValueError: no"),
        (
            "from perdure import task\n\n@task(retries=-1)\ndef f() -> None: ...\n",
            ":3: retries are a whole number from 0 on, not -1",
        ),
        (
            "from perdure import workflow\n\n\n@workflow\nasync def f(x: 'Gone') -> None: ...\n",
            ":4: workflow f: a type cannot be resolved (name 'Gone' is not defined)",
        ),
        (
            "from perdure import task\n@task\ndef f(x: 5) -> None: ...\n",
            ":2: task f: ",
        ),
    ],
)
def test_problems_have_file_and_line(write: Write, source: str, says: str) -> None:
    path = write("broken_file.py", source)
    detail = the_problem(load([path]))
    assert detail.startswith(f"{path}{says}")


def test_an_error_deep_in_a_library_is_placed_in_the_users_file(write: Write) -> None:
    path = write("user_file.py", "import json\n\njson.loads('{')\n")
    assert the_problem(load([path])).startswith(f"{path}:3: JSONDecodeError")


def test_a_module_that_failed_can_be_loaded_once_it_is_mended(write: Write) -> None:
    path = write("mended.py", "raise ValueError")
    assert load([path]).problems
    path.write_text(flow() + "# longer than before\n", encoding="utf-8")
    assert found(load([path])) == ["flow 1"]


def test_the_same_id_and_version_twice_names_both_places(write: Write) -> None:
    one, two = write("one_flow.py", flow()), write("two_flow.py", "\n" + flow())
    detail = the_problem(load([one, two]))
    assert f"{one}:8" in detail
    assert f"{two}:9" in detail
    assert found(load([one, write("three_flow.py", flow(version="2"))])) == ["flow 1", "flow 2"]


def test_what_has_documents_too_needs_no_python_workflow(write: Write) -> None:
    folder = str(write("mixed/flow.yaml", "{}").parent)
    assert load([folder], with_documents=[folder]).problems == []
    assert "no workflow found" in the_problem(load([folder]))


def test_what_is_not_there_is_a_problem(write: Write, tmp_path: Path) -> None:
    assert the_problem(load([tmp_path / "gone.py"])) == "there is no such file or folder"
    assert the_problem(load(["./gone"])) == "there is no such file or folder"
    assert "No module named 'gone'" in the_problem(load(["gone.flows"]))
    assert "has to end in .py" in the_problem(load([write("flows.txt")]))


def test_nothing_found_says_what_to_write(write: Write) -> None:
    assert "@workflow" in the_problem(load([write("empty_file.py")]))
    assert "@workflow" in the_problem(load([]))


# -- references --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reference_file.py", "json.py", "referenced/flows.py"])
def test_a_reference_finds_its_task_again(write: Write, name: str) -> None:
    if "/" in name:
        write("referenced/__init__.py")
    path = write(name, flow())
    load([path])
    reference = f"{path}:work"
    assert resolve(reference).reference == reference
    found_elsewhere = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from perdure.authoring.loading import resolve;"
            "print(resolve(sys.argv[1]).name)",
            reference,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found_elsewhere.stdout == "work\n"


def test_a_reference_to_nothing_says_so(write: Write) -> None:
    path = write("without_tasks.py")
    with pytest.raises(DefinitionError, match="there is no task gone in"):
        resolve(f"{path}:gone")


def test_the_example_is_served() -> None:
    example = Path(__file__).parents[3] / "examples"
    catalog = load([example])
    assert ("weather", "1") in catalog.workflows
    assert catalog.problems == []
