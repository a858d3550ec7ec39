"""The bodies that clients send."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

HIGHEST_PRIORITY = 1000

TIMEOUT = (
    "^("
    "([1-9][0-9]{0,2}w|[1-9][0-9]{0,3}d|[1-9][0-9]{0,4}h|[1-9][0-9]{0,5}m|[1-9][0-9]{0,7}s)"
    "([0-9]{1,2}h)?([0-9]{1,2}m)?([0-9]{1,2}s)?"
    "|[1-9][0-9]{0,9}ms"
    "|P[1-9][0-9]{0,2}W|P[1-9][0-9]{0,3}D|P([1-9][0-9]{0,3}D)?T[1-9][0-9]{0,4}[HMS]"
    ")$"
)
"""Durations as the documentation shows them; `durations` understands more."""

_TagKey = Annotated[str, Meta(min_length=1, max_length=128)]
_TagValue = Annotated[str, Meta(max_length=256)]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies: a field that is not declared is refused."""


class Execute(Request, frozen=True, kw_only=True):
    """An execution to start.

    `inputs` is an object; without `version` the highest release is executed; a higher `priority`
    is admitted earlier; it does not start before `start_at`, a time with its zone; `timeout` is a
    duration of the whole execution from its start on, such as ``"1h30m"``.
    """

    inputs: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})] = msgspec.field(
        default_factory=lambda: msgspec.Raw(b"{}")
    )
    version: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    tags: Annotated[dict[_TagKey, _TagValue], Meta(max_length=64)] = {}
    priority: Annotated[int, Meta(ge=-HIGHEST_PRIORITY, le=HIGHEST_PRIORITY)] = 0
    start_at: Annotated[datetime, Meta(tz=True)] | None = None
    timeout: (
        Annotated[str, Meta(min_length=1, max_length=64, extra_json_schema={"pattern": TIMEOUT})]
        | None
    ) = None


class SendEvent(Request, frozen=True, kw_only=True):
    """An event: `data` is any JSON, and an event with an `id` is received once."""

    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))
    id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


class Nothing(Request, frozen=True, kw_only=True):
    """No body, or an empty object."""
