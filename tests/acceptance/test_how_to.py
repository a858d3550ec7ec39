"""docs/how-to and docs/api.md are true: their commands print what is shown.

The workflows of all pages are served together.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import DOCS, Block, blocks
from tests.support.readers import Reader
from tests.support.servers import ADMIN_KEY, free_port

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="it shows commands with curl, which is not installed"
)

PAGES = [DOCS / "api.md", *sorted((DOCS / "how-to").glob("*.md"))]


def files(page: Path) -> list[Block]:
    """What a page shows as a file."""
    shown = [block for block in blocks(page) if block.language in ("python", "yaml")]
    return [block for block in shown if block.title]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Has all files of all pages, and serves those that have workflows."""
    environ = {"PERDURE_ADMIN_KEY": ADMIN_KEY, "PERDURE_TOKEN": ADMIN_KEY}
    reader = Reader(tmp_path_factory.mktemp("how-to"), free_port(), environ)
    shown = [block for page in PAGES for block in files(page)]
    assert len({block.title for block in shown}) == len(shown), "two pages show the same file"
    saved = {block.title: reader.save(block) for block in shown}
    served = [name for name, file in saved.items() if "@workflow" in file.read_text()]
    try:
        reader.serve(f"perdure serve {' '.join(served)}")
        yield reader
    finally:
        reader.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_do_what_it_says(page: Path, reader: Reader) -> None:
    for block in blocks(page):
        if block.language == "console":
            reader.type(block)
