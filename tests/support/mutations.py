"""Changes documents at random, in ways in which people get them wrong."""

import copy
import random
from collections.abc import Sequence
from typing import Any

_VALUES: Sequence[Any] = (
    *(None, True, False, 0, 1, -3, 70_000, 404, 1.5, 404.0),
    *("", " ", "x", "end", "exit", "always", "data", "1.0", "1.0.0", "v1", "-a", "a-", "a" * 64),
    *("${ .a }", "${ .a", ".a", "${}", " ${ . } ", "a ${ . }", "${ .a +\n .b }"),
    *("PT1M", "P1Y2M", "P", "PT", "PT1.5S", "P1DT", "1m", "pt1m"),
    *("https://a.example/{id}", "a b", "{", "{a", "http://a/{+b*,c:3}", "%zz", "'{a}'", "urn:a"),
    *("2024-02-29T12:00:00Z", "2023-02-29T12:00:00Z", "2024-01-01", "/do/0/a", "do/0", "/a~2"),
    *([], {}, [1], ["a"], [{}], [{"a": {}}], {"a": 1}, {"a": "b"}, {"use": "a"}, {"use": ""}),
    *({"seconds": 1}, {"seconds": "1"}, {"secs": 1}, {"seconds": 1, "days": -1}),
    *({"set": {"a": 1}}, {"do": [{"a": {"set": {"b": 1}}}]}, {"call": "http"}, {"call": "f"}),
    *({"basic": {"username": "a", "password": "b"}}, {"bearer": {"token": "a"}}, {"bearer": {}}),
    *({"basic": {"username": "a", "password": "b"}, "bearer": {}},),
    *({"oauth2": {"authority": "https://a", "grant": "password"}}, {"oauth2": {"use": "s"}}),
    *({"endpoint": "https://a"}, {"document": {}}, {"resource": {"endpoint": "a"}}),
    *({"constant": {}}, {"linear": 5, "constant": {}}, {"after": "PT1S"}, {"status": 404}),
    *({"type": "https://a", "status": 400}, {"one": {"with": {"type": "a"}}}, {"any": []}),
)
_KEYS = (
    *("do", "set", "for", "call", "with", "then", "if", "input", "output", "export", "timeout"),
    *("use", "until", "any", "all", "one", "read", "catch", "retry", "errors", "as", "when"),
    *("metadata", "document", "resource", "format", "schema", "from", "foreach", "while"),
    *("basic", "bearer", "after", "cleanup", "extra", "x-extra", "await", "return", "shell"),
    *("code", "source", "operation", "channel", "message", "subscription", "http", "stdio"),
    *("status", "type", "title", "endpoints", "client", "amount", "for", "correlate", "branches"),
)


class Mutations:
    """A stream of changed documents; the same seed gives the same ones."""

    def __init__(self, documents: Sequence[dict[str, Any]], seed: int) -> None:
        self._documents = documents
        self._random = random.Random(seed)
        self._parts = [part for document in documents for _, _, part in _places(document)]

    def next(self) -> dict[str, Any]:
        """Another document, with one to three changes."""
        document = copy.deepcopy(self._random.choice(self._documents))
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            places = _places(document)
            self._change(*self._random.choice(places))
        return document

    def _change(self, owner: Any, key: Any, value: Any) -> None:
        kind = self._random.randrange(9)
        if kind == 0:
            del owner[key]
        elif kind == 1:
            owner[key] = copy.deepcopy(self._random.choice(_VALUES))
        elif kind == 2:
            owner[key] = copy.deepcopy(self._random.choice(self._parts))
        elif kind == 3 and isinstance(owner, dict):
            name = self._random.choice((f"{key}s", key[1:], key.upper(), *_KEYS))
            owner.update({name: owner.pop(key)})
        elif kind == 4 and isinstance(value, dict):
            value[self._random.choice(_KEYS)] = copy.deepcopy(self._random.choice(_VALUES))
        elif kind == 5 and isinstance(value, dict):
            value[self._random.choice(_KEYS)] = copy.deepcopy(self._random.choice(self._parts))
        elif kind == 6 and isinstance(value, list) and value:
            value.append(copy.deepcopy(self._random.choice(value)))
        elif kind == 7 and isinstance(value, str):
            at = self._random.randrange(len(value) + 1)
            owner[key] = value[:at] + self._random.choice(" {}$\n%a/:~'") + value[at:]
        elif kind == 8:
            owner[key] = self._random.choice(([value], {"a": value}, str(value)))


def _places(document: Any) -> list[tuple[Any, Any, Any]]:
    """Every value in a tree, with what it is in and under which key."""
    found: list[tuple[Any, Any, Any]] = []
    pending = [document]
    while pending:
        owner = pending.pop()
        entries = owner.items() if isinstance(owner, dict) else enumerate(owner)
        for key, value in entries:
            found.append((owner, key, value))
            if isinstance(value, dict | list):
                pending.append(value)
    return found or [({"": None}, "", None)]
