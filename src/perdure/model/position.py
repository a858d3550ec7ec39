"""Positions: the address of a command within its execution (docs/journal.md, section 4)."""

import re

_COUNT = re.compile(r"@[0-9]+(?=/|$)")


def escape(segment: str) -> str:
    """A name as a segment of a position: RFC 6901's escapes, and ``~2`` for ``@``."""
    if segment.isidentifier():
        return segment
    return segment.replace("~", "~0").replace("/", "~1").replace("@", "~2")


def child(parent: str, segment: str, count: int = 0) -> str:
    """The position of `segment` (already escaped) below `parent`, at its `count`-th visit."""
    return f"{parent}/{segment}@{count}" if count else f"{parent}/{segment}"


def instance(position: str) -> str:
    """A position without its counts, as failures and the API show it."""
    pointer = _COUNT.sub("", position) if "@" in position else position
    return pointer.replace("~2", "@") if "~2" in pointer else pointer


def name(position: str) -> str:
    """What the task at a position is called: its last segment, as it was before `escape`."""
    segment = _COUNT.sub("", position).rpartition("/")[2]
    return segment.replace("~2", "@").replace("~1", "/").replace("~0", "~")


def is_internal(position: str) -> bool:
    """Whether perdure itself made this position (``/observe/~retry``): it is no task."""
    return "/~" in position and any(
        segment.startswith("~") and not segment.startswith(("~0", "~1", "~2"))
        for segment in position.split("/")
    )
