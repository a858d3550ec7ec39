"""What docs/documents.md says of reading and validation is so."""

import re

import pytest

from perdure.openworkflow.reading import LIMIT_BYTES, read
from perdure.openworkflow.reading.draft import (
    LIMIT_CHARACTERS,
    LIMIT_DEPTH,
    LIMIT_KEY,
    LIMIT_NODES,
)
from perdure.openworkflow.validation import LIMIT_FINDINGS
from tests.support.markdown import DOCS, table

_PAGE = DOCS / "documents.md"
_CODE = re.compile(r"`([^`]+)`")
_READ = {row[0]: row[1] for row in table(_PAGE, "### What is read")}


def test_the_limits_of_a_document_are_there() -> None:
    rows = table(_PAGE, "### Limits of a document")
    assert [int(re.sub(r"\D", "", limit)) for _, limit in rows] == [
        LIMIT_BYTES,
        LIMIT_DEPTH,
        LIMIT_NODES,
        LIMIT_CHARACTERS,
        LIMIT_KEY,
        LIMIT_FINDINGS,
    ]


@pytest.mark.parametrize(
    ("meaning", "types"),
    [
        ("the boolean, or null", (bool, type(None))),
        ("the number", (int, float)),
        ("that text", (str,)),
    ],
)
def test_plain_texts_are_read_as_the_table_says(meaning: str, types: tuple[type, ...]) -> None:
    (cell,) = [text for text, what in _READ.items() if what == meaning]
    written = _CODE.findall(cell)
    assert written
    for text in written:
        assert type(read(f"a: {text}".encode()).value["a"]) in types
