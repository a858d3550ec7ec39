"""The bytes of a document as text."""

import codecs

from perdure.openworkflow.reading.draft import Draft, Place
from perdure.ports.runtime import DOCUMENT_LIMIT_BYTES

LIMIT_BYTES = DOCUMENT_LIMIT_BYTES
"""How long a document may be."""

_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class NotJsonError(Exception):
    """A text is no JSON, though it may be YAML."""


def decoded(source: bytes, draft: Draft) -> str:
    """The text; stops the draft where it is too long, or no UTF-8."""
    if len(source) > LIMIT_BYTES:
        draft.stop(
            (1, 1), f"the document has {len(source):,} bytes, and may have {LIMIT_BYTES:,} at most"
        )
    for mark, encoding in _MARKS:
        if source.startswith(mark):
            draft.stop(
                (1, 1),
                f"the text begins with a byte order mark of {encoding}: save it as UTF-8 without "
                "a byte order mark",
            )
    nul = source.find(b"\0")
    if nul >= 0:
        draft.stop(
            _place(source, nul),
            "here is a NUL byte, which no text has: save the document as UTF-8",
        )
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        draft.stop(
            _place(source, error.start),
            f"the byte 0x{source[error.start]:02x} is no UTF-8: save the document as UTF-8",
        )


def _place(source: bytes, offset: int) -> Place:
    before = source[:offset].decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
