"""Which content coding a client takes (RFC 9110, section 12.5.3)."""

import re
from collections.abc import Sequence

_MOST_BYTES = 4096
_WEIGHTED = re.compile(
    rb"\s*([a-z0-9!#$%&'*+.^_`|~-]+)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE,
)


def takes_gzip(accept_encoding: Sequence[bytes]) -> bool:
    """Whether an answer is to be compressed: the lines of the header name gzip, or anything.

    It is not where the client would rather have it plain, nor for a header that is no such list.
    """
    text = b",".join(accept_encoding)
    if len(text) > _MOST_BYTES:
        return False
    weights: dict[bytes, float] = {}
    for item in filter(None, (item.strip() for item in text.split(b","))):
        match = _WEIGHTED.fullmatch(item)
        if match is None:
            return False
        weights[match[1].lower()] = float(match[2] or 1)
    anything = weights.get(b"*", 0.0)
    gzip = max(weights.get(name, anything) for name in (b"gzip", b"x-gzip"))
    return gzip > 0 and gzip >= weights.get(b"identity", 0.0)
