"""How a document is announced: what is known of it before it is executed."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from perdure.openworkflow.durations import milliseconds
from perdure.openworkflow.expressions import is_expression
from perdure.openworkflow.findings import pointer
from perdure.openworkflow.formats import is_json_schema
from perdure.openworkflow.types import Document, kind_of
from perdure.ports.runtime import Served

_LONGEST_SOURCE = 256 * 1024
_LONGEST_TITLE = 500
_MOST_UNSUPPORTED = 100
_SUPPORTED = frozenset(
    {"call http", "do", "emit", "for", "fork", "raise", "run workflow", "set", "switch", "try"}
    | {"wait"}
)
_UNSUPPORTED_SCHEMES = ("digest", "oauth2", "oidc")

Path = tuple[str | int, ...]
Tree = Mapping[str, Any]


def served(document: Document, source: str, digest: str) -> Served:
    """The announcement of a valid document; `digest` is that of its body.

    A source of more than 256 kB is not shown, nor what of a title is longer than a line, nor more
    than a hundred tasks that are not supported.
    """
    header = document.document
    return Served(
        workflow_id=header.workflow_id,
        version=header.version,
        digest=digest,
        kind="document",
        title=header.title[:_LONGEST_TITLE],
        tags={
            name: tag if isinstance(tag, str) else msgspec.json.encode(tag).decode()
            for name, tag in header.tags.items()
        },
        timeout_ms=_timeout_ms(document),
        input_schema=_input_schema(document),
        source=source if len(source.encode()) <= _LONGEST_SOURCE else None,
        unsupported=tuple(islice(_unsupported(document.definition), _MOST_UNSUPPORTED)),
    )


def _timeout_ms(document: Document) -> int | None:
    timeout = document.timeout
    if isinstance(timeout, str):
        timeout = document.use.timeouts[timeout]
    if timeout is None or (isinstance(timeout.after, str) and is_expression(timeout.after)):
        return None
    return milliseconds(timeout.after)


def _input_schema(document: Document) -> bytes:
    schema = document.input.schema if document.input is not None else None
    if schema is None or schema.resource is not None or not is_json_schema(schema.format):
        return b"{}"
    if isinstance(schema.document, bool):
        return b"{}" if schema.document else b'{"not":{}}'
    return msgspec.json.encode(schema.document)


def _unsupported(definition: Tree) -> Iterator[str]:
    """What cannot be executed yet, with its place."""
    use = definition.get("use", {})
    yield from _schemas(definition, ())
    for path, task in _all_tasks(definition):
        kind = kind_of(task)
        if kind == "call":
            if task["call"] not in use.get("functions", {}):
                yield f"call {task['call']} at {pointer(path)}"
        elif kind not in _SUPPORTED:
            yield f"{kind} at {pointer(path)}"
        elif kind == "call http":
            yield from _authentication(task, use, path)
        yield from _schemas(task, path)


def _authentication(task: Tree, use: Tree, path: Path) -> Iterator[str]:
    endpoint = task["with"]["endpoint"]
    policy = endpoint.get("authentication", {}) if isinstance(endpoint, dict) else {}
    policy = use.get("authentications", {}).get(policy.get("use"), policy)
    for scheme in _UNSUPPORTED_SCHEMES:
        if scheme in policy:
            place = pointer((*path, "with", "endpoint", "authentication"))
            yield f"authentication {scheme} at {place}"


def _schemas(owner: Tree, path: Path) -> Iterator[str]:
    for part in ("input", "output", "export"):
        schema = owner.get(part, {}).get("schema", {})
        if "resource" in schema:
            yield f"schema resource at {pointer((*path, part, 'schema', 'resource'))}"
        elif not is_json_schema(schema.get("format", "json")):
            yield f"schema format {schema['format']} at {pointer((*path, part, 'schema'))}"


def _all_tasks(definition: Tree) -> Iterator[tuple[Path, Tree]]:
    """Every task of a document with its path."""
    yield from _listed(definition["do"], ("do",))
    use = definition.get("use", {})
    for name, task in use.get("functions", {}).items():
        yield from _task(task, ("use", "functions", name))
    for index, item in enumerate(use.get("extensions", ())):
        for name, extension in item.items():
            for part in ("before", "after"):
                path = ("use", "extensions", index, name, part)
                yield from _listed(extension.get(part, ()), path)


def _listed(tasks: Any, path: Path) -> Iterator[tuple[Path, Tree]]:
    for index, item in enumerate(tasks):
        for name, task in item.items():
            yield from _task(task, (*path, index, name))


def _task(task: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    yield path, task
    yield from _listed(task.get("do", ()), (*path, "do"))
    yield from _listed(task.get("try", ()), (*path, "try"))
    yield from _listed(task.get("catch", {}).get("do", ()), (*path, "catch", "do"))
    yield from _listed(task.get("foreach", {}).get("do", ()), (*path, "foreach", "do"))
    if task.get("call") == "asyncapi":
        each = task["with"].get("subscription", {}).get("foreach", {})
        inside = (*path, "with", "subscription", "foreach", "do")
        yield from _listed(each.get("do", ()), inside)
    yield from _listed(task.get("fork", {}).get("branches", ()), (*path, "fork", "branches"))
