"""What can be executed."""

import msgspec


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow version that can be executed. `input_schema` is JSON Schema (2020-12)."""

    workflow_id: str
    version: str
    kind: str
    title: str
    tags: dict[str, str]
    digest: str
    timeout_ms: int | None
    input_schema: msgspec.Raw


class Workflows(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be executed; `problems` are what could not be loaded, and why."""

    workflows: list[Workflow]
    problems: list[str]
