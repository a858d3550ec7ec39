"""Whether what is put together still fits into a value.

Values share their parts, so what contains a value twice takes no memory until it is written out:
a loop of forty such steps would make a value that no memory holds. So whatever puts values
together checks its size, and every value that an expression works on is within the limit.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from perdure.model.encoding import VALUE_LIMIT_BYTES

SMALL_BYTES = 1024
"""What is written in a document and smaller than this is not counted."""

_encode = msgspec.json.Encoder().encode


def fit(values: Iterable[Any]) -> bool:
    """Whether values fit into one; a single one always does, since it is within the limit."""
    large = [value for value in values if _is_large(value)]
    if len(large) < 2:
        return True
    total = 0
    for value in large:
        total += len(_encode(value))
        if total > VALUE_LIMIT_BYTES:
            return False
    return True


def _is_large(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) > SMALL_BYTES
    return bool(value) and (kind is dict or kind is list)
