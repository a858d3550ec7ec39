"""JSON (RFC 8259) with the place of every key and value."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from perdure.openworkflow.reading.draft import Draft, Place
from perdure.openworkflow.reading.node import Node
from perdure.openworkflow.reading.source import NotJsonError

_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
        (?P<mark>[{}\[\],:])
        |(?P<text>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")
        |(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)
        |(?P<word>true|false|null)
        |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}
_BREAK = re.compile(r"\r\n|\r|\n")


def compose(text: str, draft: Draft) -> Node:
    """The tree of a JSON text. Raises NotJsonError, or Stopped beyond a limit."""
    tokens = _Tokens(text)
    root = _value(tokens, draft)
    if tokens.take() != "end":
        raise NotJsonError
    return root


class _Tokens:
    """The tokens of a text, one at a time: `token` of a kind, at `place`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in _BREAK.finditer(text))]
        self._offset = 0
        self._start = 0
        self.token = ""

    def take(self) -> str:
        """Go to the next token; its kind, which for marks is the mark."""
        match = _TOKEN.match(self._text, self._offset)
        if match is None or match.lastgroup is None:
            raise NotJsonError
        kind = match.lastgroup
        self.token = match[kind]
        self._start = match.start(kind)
        self._offset = match.end()
        return self.token if kind == "mark" else kind

    @property
    def place(self) -> Place:
        """Where the token begins."""
        line = bisect_right(self._lines, self._start)
        return line, self._start - self._lines[line - 1] + 1


def _value(tokens: _Tokens, draft: Draft, kind: str = "") -> Node:
    kind = kind or tokens.take()
    place = tokens.place
    draft.count(place)
    if kind == "text":
        return draft.text(place, json.loads(tokens.token))
    if kind == "number":
        return draft.number(place, tokens.token)
    if kind == "word":
        return Node(_WORDS[tokens.token], *place)
    if kind == "{":
        return _object(tokens, draft, place)
    if kind == "[":
        return _list(tokens, draft, place)
    raise NotJsonError


def _object(tokens: _Tokens, draft: Draft, place: Place) -> Node:
    value: dict[str, Any] = {}
    node = Node(value, *place, members={}, keys={})
    assert node.members is not None
    assert node.keys is not None
    for kind in _parts(tokens, "}"):
        if kind != "text":
            raise NotJsonError
        key = json.loads(tokens.token)
        draft.path.append(key)
        new = draft.key(tokens.place, key, node.keys)
        if tokens.take() != ":":
            raise NotJsonError
        member = _value(tokens, draft)
        draft.path.pop()
        if new:
            node.members[key] = member
            value[key] = member.value
    return node


def _list(tokens: _Tokens, draft: Draft, place: Place) -> Node:
    value: list[Any] = []
    items: list[Node] = []
    for kind in _parts(tokens, "]"):
        draft.path.append(len(items))
        item = _value(tokens, draft, kind)
        draft.path.pop()
        items.append(item)
        value.append(item.value)
    return Node(value, *place, items=items)


def _parts(tokens: _Tokens, end: str) -> Iterator[str]:
    """The kind of each part's first token, up to the end mark."""
    kind = tokens.take()
    if kind == end:
        return
    while True:
        yield kind
        mark = tokens.take()
        if mark == end:
            return
        if mark != ",":
            raise NotJsonError
        kind = tokens.take()
