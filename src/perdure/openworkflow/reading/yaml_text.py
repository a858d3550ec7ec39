"""YAML (1.2 core schema, with JSON's numbers) with the place of every key and value.

Anchors and aliases are understood, and counted as what they expand to. Merge keys (``<<``) are no
part of YAML 1.2 and are refused, as a quoted key ``"<<"`` is an ordinary one.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from perdure.openworkflow.findings import listed, quoted
from perdure.openworkflow.reading.draft import NUMBER, Draft, Place, Stopped
from perdure.openworkflow.reading.node import Node

_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = ("str", "int", "float", "bool", "null", "map", "seq")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# Controls are no YAML at all (1.2, section 5.1). The other three broke lines in YAML 1.1 and do
# not in 1.2: parsers differ, and so they are refused unless they are escaped.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SAID = {
    "mapping values are not allowed": "a colon cannot stand here: put a text that has one in "
    "quotes, and each property on a line of its own",
    "invalid Unicode character escape": "YAML has no surrogate pairs: write the character, or one "
    "escape such as \\U0001F600",
    "unknown escape character": "in double quotes a backslash begins an escape, and there is none "
    "like this: take single quotes, or write two backslashes",
}
"""What is said in place of what the parser says."""
_BREAK = re.compile(r"\r\n|\r|\n")


def compose(text: str, draft: Draft, *, pure: bool = False) -> Node:
    """The tree of a YAML text. Raises Stopped where there is none, or beyond a limit."""
    refused = _REFUSED.search(text)
    if refused is not None:
        breaks = list(_BREAK.finditer(text, 0, refused.start()))
        start = breaks[-1].end() if breaks else 0
        draft.stop(
            (len(breaks) + 1, refused.start() - start + 1),
            f"the character {refused[0]!r} cannot stand here: write it as an escape, in a text in "
            "double quotes",
        )
    loader = yaml.Loader if pure or not yaml.__with_libyaml__ else yaml.CLoader
    events = yaml.parse(text, Loader=loader)
    try:
        return _Composer(events, draft).document()
    except yaml.MarkedYAMLError as error:
        _refuse(error, text, draft)


def _refuse(error: yaml.MarkedYAMLError, text: str, draft: Draft) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = _BREAK.split(text)
    if place[0] > len(lines):
        place = (len(lines), len(lines[-1]) + 1)
    character = lines[place[0] - 1][place[1] - 1 : place[1]]
    problem = error.problem or "it cannot be parsed"
    if character == "\t":
        problem = "a tab cannot stand where a line is indented: use spaces"
    elif "cannot start any token" in problem:
        problem = f"a text cannot begin with {character}: put it in quotes"
    else:
        for words, said in _SAID.items():
            if words in problem:
                problem = said
                break
        else:
            problem = f"{problem} ({error.context})" if error.context else problem
    draft.path.clear()
    draft.stop(place, f"this is no YAML: {problem}")


class _Anchored:
    """A node that has a name, and what one alias of it adds."""

    def __init__(self, node: Node, nodes: int, characters: int, height: int) -> None:
        self.node = node
        self.nodes = nodes
        self.characters = characters
        self.height = height


class _Composer:
    def __init__(self, events: Iterator[Any], draft: Draft) -> None:
        self._events = events
        self._draft = draft
        self._anchors: dict[str, _Anchored | None] = {}
        self._deepest = 0

    def document(self) -> Node:
        """The only document of the stream."""
        event = self._next()
        while isinstance(event, yaml.StreamStartEvent):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._draft.stop((1, 1), "the document is empty")
        root = self._node(self._next())
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._draft.stop(
                _place(event),
                "a second document begins here: a file has one, without lines of --- in between",
            )
        return root

    def _next(self) -> Any:
        try:
            return next(self._events)
        except StopIteration:  # pragma: no cover - every stream has an end
            raise Stopped from None

    def _node(self, event: Any) -> Node:
        draft, place = self._draft, _place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", place)
        nodes, characters, deepest = draft.nodes, draft.characters, self._deepest
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        depth = self._deepest = len(draft.path)
        draft.count(place)
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event, place, "seq")
            node = self._list(place)
        else:
            self._check_tag(event, place, "map")
            node = self._object(place)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(
                node, draft.nodes - nodes, draft.characters - characters, self._deepest - depth
            )
        self._deepest = max(deepest, self._deepest)
        return node

    def _alias(self, name: str, place: Place) -> Node:
        if name not in self._anchors:
            self._draft.stop(place, f"the alias *{name} has no anchor &{name} before it")
        anchored = self._anchors[name]
        if anchored is None:
            self._draft.stop(place, f"the alias *{name} stands within what it is an alias of")
        self._draft.count(
            place,
            nodes=anchored.nodes,
            characters=anchored.characters,
            height=anchored.height,
        )
        self._deepest = max(self._deepest, len(self._draft.path) + anchored.height)
        node = anchored.node
        return Node(node.value, *place, node.members, node.items, node.keys)

    def _list(self, place: Place) -> Node:
        value: list[Any] = []
        items: list[Node] = []
        path = self._draft.path
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            path.append(len(items))
            item = self._node(event)
            path.pop()
            items.append(item)
            value.append(item.value)
        return Node(value, *place, items=items)

    def _object(self, place: Place) -> Node:
        value: dict[str, Any] = {}
        members: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        path = self._draft.path
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            path.append(key)
            new = self._draft.key(_place(event), key, keys)
            member = self._node(self._next())
            path.pop()
            if new:
                members[key] = member
                value[key] = member.value
        return Node(value, *place, members=members, keys=keys)

    def _key(self, event: Any) -> str:
        """The text of a key: of whatever scalar, as it is written."""
        place = _place(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._draft.stop(place, "a key is a text: no alias, list or object can be one")
        if event.anchor is not None:
            self._draft.stop(place, f"a key cannot be named: remove the anchor &{event.anchor}")
        if event.tag not in (None, "!", f"{_CORE}str"):
            self._draft.stop(place, f"a key is a text: remove the tag {quoted(event.tag)}")
        key: str = event.value
        if event.implicit[0]:
            if key == "<<":
                self._draft.stop(
                    place,
                    "merge keys (<<) are no part of YAML 1.2: write the properties out, give the "
                    'whole value by an alias, or quote the key ("<<") if it is data',
                )
            if key == "":
                self._draft.stop(place, "a key is missing before the colon")
        return key

    def _scalar(self, event: Any, place: Place) -> Node:
        draft, written = self._draft, event.value
        if event.tag == "!":
            return draft.text(place, written)
        if event.tag is None:
            if not event.implicit[0]:
                return draft.text(place, written)
            if written in _WORDS:
                return Node(_WORDS[written], *place)
            if NUMBER.fullmatch(written) is not None:
                return draft.number(place, written)
            if _NO_NUMBER.fullmatch(written) is not None:
                draft.report(
                    place, f"{written} is a number that JSON does not have: quote it if it is text"
                )
            return draft.text(place, written)
        return self._tagged(event.tag, written, place)

    def _tagged(self, tag: str, written: str, place: Place) -> Node:
        draft = self._draft
        if tag == f"{_CORE}str":
            return draft.text(place, written)
        if tag in (f"{_CORE}bool", f"{_CORE}null") and written in _WORDS:
            word = _WORDS[written]
            if (word is None) is (tag == f"{_CORE}null"):
                return Node(word, *place)
        number = NUMBER.fullmatch(written)
        if number is not None:
            if tag == f"{_CORE}int" and number[1] is None and number[2] is None:
                return draft.number(place, written)
            if tag == f"{_CORE}float":
                node = draft.number(place, written)
                node.value = float(node.value)
                return node
        self._refuse_tag(tag, place)
        return draft.text(place, written)

    def _check_tag(self, event: Any, place: Place, expected: str) -> None:
        if event.tag not in (None, "!", f"{_CORE}{expected}"):
            self._refuse_tag(event.tag, place)

    def _refuse_tag(self, tag: str, place: Place) -> None:
        name = tag.removeprefix(_CORE)
        if name in _CORE_TAGS:
            self._draft.report(place, f"this is no value for the tag !!{name}: remove the tag")
            return
        shown = quoted(f"!!{name}" if name != tag else tag)
        core = listed((f"!!{each}" for each in _CORE_TAGS), "and")
        self._draft.report(
            place, f"the tag {shown} is not known (YAML's core schema has {core}): remove it"
        )


def _place(event: Any) -> Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
