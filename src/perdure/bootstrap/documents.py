"""Validates document files on this machine, without a server."""

from pathlib import Path

from perdure.openworkflow.reading import LIMIT_BYTES
from perdure.openworkflow.validation import Report, validate


def validate_file(path: str) -> Report:
    """Validate the document in a file; no more of it is read than a document may have.

    Raises OSError where it cannot be read.
    """
    with Path(path).open("rb") as file:
        return validate(file.read(LIMIT_BYTES + 1))
