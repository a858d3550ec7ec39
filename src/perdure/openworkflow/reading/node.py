"""A value of a document with its place in the text."""

from typing import Any

import msgspec


class Node(msgspec.Struct):
    """A value, where it begins, and the nodes in it.

    `value` is the plain value with all that is in it: what `json.loads` would give. Lines and
    columns count from 1, columns in characters. `members` are an object's values by key, with
    `keys` telling where each key stands; `items` are a list's.
    """

    value: Any
    line: int
    column: int
    members: dict[str, "Node"] | None = None
    items: list["Node"] | None = None
    keys: dict[str, tuple[int, int]] | None = None

    def member(self, key: str) -> "Node | None":
        """The value of a key, where this is an object that has it."""
        return self.members.get(key) if self.members is not None else None
