"""What is wrong with a document, and where."""

import difflib
from collections.abc import Iterable

import msgspec

_LONGEST_QUOTE = 60


class Finding(msgspec.Struct, frozen=True):
    """One problem of a document.

    `location` is a JSON pointer to the value (RFC 6901); `line` and `column` count from 1, columns
    in characters. `message` says what is wrong, what was expected and, where one is near, which
    name may have been meant.
    """

    location: str
    line: int
    column: int
    message: str


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path of keys and indices."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def quoted(text: str) -> str:
    """A text as a message shows it: in quotes, on one line, shortened."""
    shown = text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
    printed = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
    return f'"{printed}"'


def listed(names: Iterable[str], joint: str = "or") -> str:
    """Names as a sentence has them: ``a, b or c``; at most twenty."""
    shown = [name if len(name) <= _LONGEST_QUOTE else quoted(name) for name in names]
    if len(shown) > _MOST_LISTED:
        shown = [*shown[:_MOST_LISTED], f"{len(shown) - _MOST_LISTED} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {joint} {shown[-1]}"


_MOST_LISTED = 20
_MOST_COMPARED = 300
_LONGEST_COMPARED = 100
_MOST_NEAR = 5
_NEAR = 0.6
"""How similar names are that begin alike."""
_NEARER = 0.7
"""How similar others are."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near enough."""
    if not 0 < len(name) <= _LONGEST_COMPARED:
        return None
    candidates = [n for n, _ in zip(names, range(_MOST_COMPARED), strict=False)]
    folded = {n.lower(): n for n in candidates if 0 < len(n) <= _LONGEST_COMPARED}
    lowered = name.lower()
    for near in difflib.get_close_matches(lowered, folded, n=_MOST_NEAR, cutoff=_NEAR):
        if near[0] == lowered[0] or _ratio(lowered, near) >= _NEARER:
            return folded[near]
    return None


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(a=other, b=one).ratio()


def meant(name: str, names: Iterable[str]) -> str:
    """`` (did you mean …?)`` where a name is near, else nothing."""
    near = nearest(name, names)
    return f" (did you mean {near}?)" if near is not None else ""
