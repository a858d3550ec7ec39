"""What a server says of itself once it is ready: where it is, what it serves, how to call it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from perdure.bootstrap.admin_key import FILE_NAME
from perdure.bootstrap.settings import Settings
from perdure.link.messages import ImportProblem
from perdure.ports.runtime import Served

SHOWN = 50
"""Workflows that are listed."""
_SAMPLES: Mapping[str, Any] = {
    "string": "…",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}


def announcement(
    settings: Settings,
    served: Sequence[Served],
    problems: Sequence[ImportProblem],
    *,
    new_key: str | None,
) -> str:
    """All of it, ready to be printed; `new_key` is the admin key where it was made just now."""
    parts = [
        f"perdure serves at {url(settings)}, with its data in {settings.data.resolve()}",
        _authentication(settings, new_key),
        *(f"not loaded: {each.path}\n{_indented(each.detail)}" for each in problems),
        _workflows(served),
    ]
    if served:
        parts.append(f"start one and wait for its end:\n{_indented(_curl(settings, served[0]))}")
    return "\n\n".join(parts)


def url(settings: Settings) -> str:
    """The address of the server as a client writes it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _authentication(settings: Settings, new_key: str | None) -> str:
    if settings.no_auth:
        return "without authentication: everyone on this machine may do everything"
    if new_key is not None:
        file = _key_file(settings)
        return f"the admin key, made now and kept in {file}, is shown this once:\n  {new_key}"
    if settings.admin_key is not None:
        return "the admin key is the one that was set"
    return f"the admin key is in {_key_file(settings)}"


def _key_file(settings: Settings) -> Path:
    return settings.data.resolve() / FILE_NAME


def _workflows(served: Sequence[Served]) -> str:
    if not served:
        return "no workflows are served: perdure serve PATH …, or perdure workflows register FILE"
    shown = served[:SHOWN]
    width = max(len(each.workflow_id) for each in shown)
    lines = [f"  {each.workflow_id:{width}}  version {each.version}" for each in shown]
    if len(served) > SHOWN:
        lines.append(f"  and {len(served) - SHOWN:,} more: perdure workflows list")
    return "\n".join(["workflows:", *lines])


def _curl(settings: Settings, workflow: Served) -> str:
    body = msgspec.json.encode({"inputs": _sample(workflow)}).decode()
    lines = [
        f"curl {url(settings)}/api/workflows/{workflow.workflow_id}/execute",
        "-H 'Content-Type: application/json' -H 'Prefer: wait=10'",
        f"-d {shlex.quote(body)}",
    ]
    if not settings.no_auth:
        key = "$PERDURE_ADMIN_KEY"
        if settings.admin_key is None:
            key = f"$(cat {shlex.quote(str(_key_file(settings)))})"
        lines.insert(1, f'-H "Authorization: Bearer {key}"')
    return " \\\n  ".join(lines)


def _sample(workflow: Served) -> dict[str, Any]:
    """Inputs that show which fields are needed: the required ones, by their types."""
    schema = msgspec.json.decode(workflow.input_schema)
    properties = schema.get("properties", {})
    sample = {}
    for name in schema.get("required", ()):
        declared = properties.get(name)
        declared = declared if isinstance(declared, dict) else {}
        examples = declared.get("examples") or declared.get("enum") or [None]
        kind = declared.get("type")
        fallback = _SAMPLES.get(kind) if isinstance(kind, str) else None
        sample[name] = fallback if examples[0] is None else examples[0]
    return sample


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())
