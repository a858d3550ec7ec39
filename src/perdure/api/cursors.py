"""Cursors: where a page ended, bound to the list and the filters that it belongs to.

The text carries a digest over its place and its list, so that one that was changed, cut off or
taken from another list is refused. It keeps nothing secret: whoever may list may start anywhere.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

from perdure.api.problems import RequestError
from perdure.ports.runtime import Problem

_DIGEST_BYTES = 6
LONGEST = 512
_NUMBER = re.compile("[0-9]{1,18}")


def _digest(belongs_to: str, place: bytes) -> bytes:
    key = blake2b(belongs_to.encode(), digest_size=16).digest()
    return blake2b(place, digest_size=_DIGEST_BYTES, key=key).digest()


def written(belongs_to: str, place: str) -> str:
    """The cursor for `place` in the list named `belongs_to`."""
    encoded = place.encode()
    return urlsafe_b64encode(_digest(belongs_to, encoded) + encoded).decode().rstrip("=")


def place(belongs_to: str, cursor: str) -> str | None:
    """The place that a cursor of this list stands for; None for any other text."""
    if len(cursor) > LONGEST:
        return None
    try:
        decoded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        return None
    digest, encoded = decoded[:_DIGEST_BYTES], decoded[_DIGEST_BYTES:]
    if digest != _digest(belongs_to, encoded):
        return None
    found = encoded.decode(errors="replace")
    return found if written(belongs_to, found) == cursor else None


def number(belongs_to: str, cursor: str) -> int | None:
    """`start`, for a list whose places are numbers."""
    found = start(belongs_to, cursor)
    if found is None:
        return None
    if not _NUMBER.fullmatch(found):
        raise _wrong()
    return int(found)


def start(belongs_to: str, cursor: str) -> str | None:
    """The place that a list starts after: None, the beginning, where no cursor is given.

    Raises a RequestError for a cursor of another list or of none.
    """
    if not cursor:
        return None
    found = place(belongs_to, cursor)
    if found is None:
        raise _wrong()
    return found


def _wrong() -> RequestError:
    return RequestError(
        "invalid_cursor",
        "the cursor is none of this list: start again without one",
        errors=[Problem("?cursor", "is no cursor of this list")],
    )
