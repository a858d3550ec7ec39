"""docs/tutorial.md is true: its files are written and its commands run, in order, as it says."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.markdown import DOCS, blocks
from tests.support.readers import Reader
from tests.support.servers import free_port

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="it shows commands with curl, which is not installed"
)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path, free_port())
    yield reader
    reader.close()


def test_what_the_tutorial_says_is_so(reader: Reader) -> None:
    for block in blocks(DOCS / "tutorial.md"):
        if block.language == "python":
            reader.save(block)
        else:
            assert block.language == "console", f"{block.place}: nobody tries {block.language!r}"
            reader.type(block)
