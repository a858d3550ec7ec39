"""Which edits are noticed."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from perdure.bootstrap import edits as module
from perdure.bootstrap.edits import edits, watched
from tests.support.servers import until_true


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as projects have them."""
    for folder in (
        "flows/helpers/deep",
        "flows/.hidden",
        "flows/__pycache__",
        "flows/node_modules/x",
        "flows/perdure-data",
        "flows/venv/lib",
        "elsewhere",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "flows/venv/pyvenv.cfg").touch()
    (tmp_path / "flows/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "flows/flow.py").touch()
    return tmp_path.resolve()


def test_folders_with_code_are_watched(project: Path) -> None:
    flows = project / "flows"
    expected = [flows, flows / "helpers", flows / "helpers" / "deep"]
    assert watched([flows]) == expected
    assert watched([flows / "flow.py"]) == expected
    assert watched([flows / "helpers", flows / "flow.py"])[:2] == [flows / "helpers", flows]


def test_of_a_path_that_is_gone_the_folder_above_is_watched(project: Path) -> None:
    for gone in ("gone", "long/gone/flow.py"):
        assert watched([project / "elsewhere" / gone]) == [project / "elsewhere"]


def test_the_number_of_folders_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDERS", 2)
    assert watched([project / "flows"]) == [project / "flows", project / "flows" / "helpers"]


class Watch:
    """What was noticed so far."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def until(self, *names: str) -> None:
        await until_true(lambda: self.names.issuperset(names), f"{names} are noticed")


async def touched_until_noticed(file: Path, watch: Watch) -> None:
    def noticed() -> bool:
        file.touch()
        return file.name in watch.names

    await until_true(noticed, f"{file} is noticed")


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Watch]:
    watch = Watch()

    async def look() -> None:
        source = edits([path])
        async with aclosing(source):  # type: ignore[type-var]
            async for found in source:
                watch.names |= {file.name for file in found}

    looking = asyncio.ensure_future(look())
    try:
        # Nothing says when the system watches: touch something until it is noticed.
        folder = path if path.is_dir() else path.parent
        await touched_until_noticed(folder / "probe.py", watch)
        yield watch
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def test_edits_are_noticed_and_what_is_no_code_is_not(project: Path) -> None:
    flows = project / "flows"
    async with watching(flows / "flow.py") as watch:
        (flows / "notes.txt").write_text("x")
        (flows / ".#flow.py").write_text("x")
        (flows / "perdure-data" / "perdure.py").write_text("x")
        (flows / "flow.py").write_text("x = 1")
        (flows / "helpers" / "deep" / "below.py").write_text("x = 1")
        await watch.until("flow.py", "below.py")
        assert watch.names == {"probe.py", "flow.py", "below.py"}


async def test_a_file_that_an_editor_puts_in_place_is_noticed(project: Path) -> None:
    flow = project / "flows" / "flow.py"
    async with watching(flow) as watch:
        for content in ("x = 1", "x = 2"):
            watch.names.clear()
            saved = flow.with_name("saved")
            saved.write_text(content)
            saved.replace(flow)
            await watch.until("flow.py")


async def test_new_packages_are_noticed_and_watched(project: Path) -> None:
    package = project / "flows" / "package"
    async with watching(project / "flows") as watch:
        package.mkdir()
        await watch.until("package")
        await touched_until_noticed(package / "inside.py", watch)


async def test_a_folder_that_goes_and_comes_back_is_watched_again(project: Path) -> None:
    helpers = project / "flows" / "helpers"
    async with watching(project / "flows") as watch:
        for number in range(3):
            shutil.rmtree(helpers)
            helpers.mkdir()
            await touched_until_noticed(helpers / f"inside_{number}.py", watch)


async def test_a_folder_that_comes_back_while_nothing_is_watched_is_noticed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone when the folders are listed, and back before they are watched."""
    helpers = project / "flows" / "helpers"
    listed = module.watched
    listings: list[list[Path]] = []
    nothing_else_is_touched = Event()

    def between(paths: Iterable[Path]) -> list[Path]:
        is_second = len(listings) == 1
        if is_second:
            assert nothing_else_is_touched.wait(30)
            shutil.rmtree(helpers)
        found = listed(paths)
        if is_second:
            helpers.mkdir()
        listings.append(found)
        return found

    monkeypatch.setattr(module, "watched", between)
    async with watching(project / "flows") as watch:
        nothing_else_is_touched.set()
        await until_true(lambda: len(listings) > 1, "it is back")
        assert helpers not in listings[1]
        await touched_until_noticed(helpers / "inside.py", watch)
