"""Entity tags of executions, and requests that depend on them (RFC 9110, sections 8.8 and 13.1.2).

The tags are weak: while an execution runs, `duration_ms` grows from one answer to the next, and no
tag changes for that alone.
"""

import re
from hashlib import blake2b

import msgspec

from perdure.api.requests import Request
from perdure.model.execution import Revision
from perdure.wire.executions import Whole

_DIGEST_BYTES = 12
_ANSWER = blake2b(repr(Whole.__struct_fields__).encode(), digest_size=_DIGEST_BYTES)
"""Part of every tag: an answer that gains a member is another one."""
_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_TAGS = re.compile(rb'[\s,]*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,[\s,]*|$))+')

_encode = msgspec.json.Encoder().encode


def entity_tag(revision: Revision, logs: int) -> bytes:
    """The tag of an execution at a revision, shown with up to so many log lines."""
    digest = _ANSWER.copy()
    digest.update(_encode((logs, revision)))
    return b'W/"%s"' % digest.hexdigest().encode()


def is_conditional(request: Request) -> bool:
    """Whether the client says what it has."""
    return b"if-none-match" in request.headers


def is_known(request: Request, tag: bytes) -> bool:
    """Whether the client has what is tagged so, and says it with `If-None-Match`.

    A header that is no list of tags is as good as none.
    """
    known = b",".join(request.header_lines(b"if-none-match")).strip()
    if known == b"*":
        return True
    if not _TAGS.fullmatch(known):
        return False
    return tag.removeprefix(b"W/") in _TAG.findall(known)
