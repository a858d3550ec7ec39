"""How large a JSON Schema is once its references are filled in, which is what checking costs."""

from typing import Any

PATTERN_PARTS = 100
"""What a pattern counts for."""
_BY_NAME = ("$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor")


def parts_of(schema: Any, most: int, *, unknown: int) -> int:
    """How many parts a schema has with its references filled in; no more than `most` plus one.

    What is not known counts as `unknown`: how often a part is checked that refers to itself, and
    what names stand for (``$id``, ``$anchor``, ``$dynamicRef``). What is nested too deeply counts
    as ``most + 1``.
    """
    try:
        return _Counting(schema, most, unknown).parts(schema)
    except RecursionError:
        return most + 1


class _Counting:
    def __init__(self, root: Any, most: int, unknown: int) -> None:
        self._root = root
        self._beyond = most + 1
        self._unknown = unknown
        self._known: dict[str, int] = {}

    def parts(self, part: Any) -> int:
        total = 1
        if isinstance(part, dict):
            if any(name in part for name in _BY_NAME):
                total += self._unknown
            if isinstance(part.get("pattern"), str):
                total += PATTERN_PARTS
            if isinstance(part.get("patternProperties"), dict):
                total += PATTERN_PARTS * len(part["patternProperties"])
            if isinstance(part.get("$ref"), str):
                total += self._referred(part["$ref"])
            inner = list(part.values())
        elif isinstance(part, list):
            inner = part
        else:
            return total
        for each in inner:
            if total >= self._beyond:
                return self._beyond
            total += self.parts(each)
        return min(total, self._beyond)

    def _referred(self, reference: str) -> int:
        if reference not in self._known:
            self._known[reference] = self._unknown
            found = _at(self._root, reference)
            self._known[reference] = self._unknown if found is None else self.parts(found)
        return self._known[reference]


def _at(root: Any, reference: str) -> Any:
    """What a reference within the schema names (RFC 6901), or None."""
    if not reference.startswith("#") or "%" in reference:
        return None
    found = root
    for segment in reference[1:].split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name[:9])]
        else:
            return None
    return found if reference == "#" or reference.startswith("#/") else None
