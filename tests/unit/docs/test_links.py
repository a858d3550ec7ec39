"""What the documentation points to is there: pages, headings, files, commands."""

import re
from pathlib import Path

import click
import pytest

from perdure.cli import main
from tests.support.markdown import DOCS, ROOT, blocks, pages

PAGES = pages()
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"\bperdure((?: [a-z]+)+)")
_CALL = re.compile(r"^\$ (?:.*[|;(] ?)?perdure((?: [a-z]+)+)", re.MULTILINE)
_FILE = re.compile(r"(?:[a-z_]+/)*[a-z_]+\.py")


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    bare = [re.sub(r"[^\w\- ]", "", heading).lower() for heading in _HEADING.findall(prose(page))]
    return {heading.replace(" ", "-") for heading in bare}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_exist(page: Path) -> None:
    named = [found for code in _CODE.findall(prose(page)) for found in _COMMAND.findall(code)]
    for block in blocks(page):
        named += _CALL.findall(block.text) if block.language == "console" else []
    for words in named:
        group: click.Command = main
        for word in words.split():
            if not isinstance(group, click.Group):
                break
            assert word in group.commands, f"perdure{words}"
            group = group.commands[word]


def test_every_how_to_page_is_listed() -> None:
    listed = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (DOCS / "how-to").glob("*.md"):
        assert f"(docs/how-to/{page.name})" in listed


def test_the_architecture_names_files_that_are_there() -> None:
    package = ROOT / "src" / "perdure"
    folder = package
    for name in _FILE.findall(prose(DOCS / "architecture.md")):
        found = [place / name for place in (package, ROOT, folder) if (place / name).exists()]
        assert found, name
        folder = found[0].parent if "/" in name else folder
