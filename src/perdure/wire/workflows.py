"""What can be executed."""

import msgspec

from perdure.wire.times import Time
from perdure.wire.values import Value


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow version that is served. `input_schema` is JSON Schema (2020-12).

    `retired_at` is null unless it was retired: of a retired one no executions are started. Nor are
    they of one that has `unsupported` tasks.
    """

    workflow_id: str
    version: str
    kind: str
    title: str
    tags: dict[str, str]
    digest: str
    timeout_ms: int | None
    retired_at: Time | None
    input_schema: Value
    unsupported: list[str] = []


class WholeWorkflow(Workflow, frozen=True, kw_only=True):
    """A workflow version with the text of its definition; null where that is not known."""

    source: str | None


class Workflows(msgspec.Struct, frozen=True, kw_only=True):
    """The highest version of each workflow; `problems` are what could not be loaded, and why."""

    workflows: list[Workflow]
    problems: list[str]
    next_cursor: str | None


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a workflow, the highest first."""

    versions: list[Workflow]
    next_cursor: str | None


class DocumentProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a document, and where."""

    location: str
    line: int
    column: int
    message: str


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a document is valid, and every problem that it has, in its order."""

    valid: bool
    problems: list[DocumentProblem]
