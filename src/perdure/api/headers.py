"""The headers that requests are heeded for, and that answers carry, each described once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TEXT: Mapping[str, Any] = {"type": "string"}


@dataclass(frozen=True)
class Header:
    """What a header means; `schema` is JSON Schema (2020-12).

    Of an answer that is said to have it, one that is not `always` there may still do without.
    """

    description: str
    example: str | int
    schema: Mapping[str, Any] = field(default_factory=lambda: _TEXT)
    always: bool = True


REQUEST_HEADERS: Mapping[str, Header] = {
    "Idempotency-Key": Header(
        "Names this start: sent again with the same body, it finds the execution that was started "
        "and starts no other. Of visible ASCII characters, in quotes or without.",
        "order-7",
        {"type": "string", "maxLength": 255, "pattern": "^[!#-~]([ -~]*[!-~])?$"},
    ),
    "Accept-Encoding": Header("With `gzip`, the file is compressed (RFC 9110).", "gzip"),
    "Prefer": Header(
        "`wait=SECONDS` (RFC 7240) lets a start answer with its end, and a status be told when it "
        "changes, if that comes within so many seconds; "
        "more than 60 count as 60, and what is no such preference is passed over.",
        "wait=10",
    ),
    "If-None-Match": Header(
        "The `ETag` of an earlier answer: 304 where it still holds (RFC 9110).", '"1f0c5e"'
    ),
}
"""What clients may send, beside `Authorization` and the headers of every request."""

RESPONSE_HEADERS: Mapping[str, Header] = {
    "Allow": Header("The methods that this path has.", "GET, HEAD"),
    "Cache-Control": Header("Whether the answer may be kept, and for how long.", "no-store"),
    "Content-Disposition": Header(
        "The name of the file.", 'attachment; filename="exec-374bao9rm0000.log"'
    ),
    "Content-Encoding": Header("`gzip` where the file is compressed.", "gzip", always=False),
    "Content-Security-Policy": Header("What the page may load: nothing.", "default-src 'none'"),
    "ETag": Header("Names this very content, for `If-None-Match`.", '"1f0c5e"', always=False),
    "Location": Header(
        "The path of what was started or registered.",
        "/api/executions/exec-374bao9rm0000",
        {"type": "string", "format": "uri-reference"},
    ),
    "Preference-Applied": Header(
        "The preference that was met (RFC 7240).", "wait=10", always=False
    ),
    "Retry-After": Header(
        "Seconds after which trying again may succeed.", 5, {"type": "integer", "minimum": 0}
    ),
    "Vary": Header("The request headers that the answer depends on.", "Accept-Encoding"),
    "WWW-Authenticate": Header("How to authenticate (RFC 6750).", "Bearer"),
    "X-Content-Type-Options": Header("The content is what its type says.", "nosniff"),
}
"""What answers carry, beside the headers of every HTTP message."""

ALWAYS = ("Cache-Control", "X-Content-Type-Options")
"""What every answer carries."""
