"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

The draft has a structured field of a string, in quotes (RFC 8941, section 3.3.3); most clients send
the bare text. Both are taken: `"a"` and `a` are the same key.
"""

import re

from perdure.api.problems import RequestError
from perdure.api.requests import Request
from perdure.ports.runtime import Problem

LONGEST_KEY = 255
_NAME = "Idempotency-Key"
_BARE = re.compile(r"[!#-~](?:[ -~]*[!-~])?")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\(.)")


def idempotency_key(request: Request) -> str | None:
    """The key that a request carries, or None. Raises a RequestError for one that is none."""
    if b"idempotency-key" not in request.headers:
        return None
    lines = request.header_lines(b"idempotency-key")
    if len(lines) > 1:
        raise _refused("is given more than once")
    text = lines[0].decode("latin-1").strip(" \t")
    if not text or text == '""':
        raise _refused("is empty")
    quoted = _QUOTED.fullmatch(text)
    if quoted is None and not _BARE.fullmatch(text):
        raise _refused("has to be of visible ASCII characters, in quotes or without")
    key = _ESCAPED.sub(r"\1", quoted[1]) if quoted else text
    if len(key) > LONGEST_KEY:
        raise _refused(f"has {len(key):,} characters, and may have {LONGEST_KEY}")
    return key


def _refused(message: str) -> RequestError:
    return RequestError(
        "invalid_idempotency_key",
        f"the header {_NAME} {message}: nothing was started",
        errors=[Problem(_NAME, message)],
    )
