"""What the workers serve, and whether inputs fit it.

Schemas are checked with a validator whose regexes run in linear time and which fetches nothing.
The newest generation of workers that has reported decides; older ones that still run keep what
they own.
"""

from collections.abc import Sequence
from typing import Any

import jsonschema_rs
import msgspec

from perdure.link.messages import ImportProblem
from perdure.model.version import version_key
from perdure.ports.runtime import Problem, RefusedError, Served

_PROBLEM_LIMIT = 100


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: schemas are whole in themselves")


class Entry:
    """A served workflow version."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._validator = jsonschema_rs.Draft202012Validator(
            msgspec.json.decode(served.input_schema),
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000),
            retriever=_fetch_nothing,
        )

    def problems(self, inputs: bytes) -> Sequence[Problem]:
        """What is wrong with these inputs (a JSON object); nothing, most often."""
        value = msgspec.json.decode(inputs)
        if self._validator.is_valid(value):
            return ()
        found = []
        for error in self._validator.iter_errors(value):
            location = "".join(f"/{_escaped(part)}" for part in error.instance_path)
            found.append(Problem(f"/inputs{location}", error.message))
            if len(found) == _PROBLEM_LIMIT:
                break
        return found


class ServedCatalog:
    """The workflows that can be executed."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = {}
        self._highest: dict[str, Entry] = {}
        self.generation = -1
        self.problems: Sequence[ImportProblem] = ()

    def replace(
        self, generation: int, workflows: Sequence[Served], problems: Sequence[ImportProblem]
    ) -> None:
        """Take what a worker reports, unless a newer generation has reported already."""
        if generation < self.generation:
            return
        known = self._entries
        self.generation = generation
        self.problems = problems
        self._entries = {}
        for served in workflows:
            before = known.get(served.workflow_id, {}).get(served.version)
            entry = before if before and before.served == served else Entry(served)
            self._entries.setdefault(served.workflow_id, {})[served.version] = entry
        self._highest = {
            workflow_id: versions[max(versions, key=version_key)]
            for workflow_id, versions in self._entries.items()
        }

    def find(self, workflow_id: str, version: str | None) -> Entry:
        """The named version, or the highest. Raises RefusedError where there is none."""
        if version is None:
            entry = self._highest.get(workflow_id)
            if entry is None:
                raise RefusedError("unknown_workflow", f"no workflow {workflow_id!r} is served")
            return entry
        versions = self._entries.get(workflow_id)
        if versions is None:
            raise RefusedError("unknown_workflow", f"no workflow {workflow_id!r} is served")
        if version not in versions:
            there = ", ".join(sorted(versions, key=version_key))
            raise RefusedError(
                "unknown_version",
                f"workflow {workflow_id!r} has no version {version!r}; it has {there}",
            )
        return versions[version]

    def serves(self, workflow_id: str, version: str) -> bool:
        """Whether this very version is served."""
        return version in self._entries.get(workflow_id, ())

    def all(self) -> Sequence[Served]:
        """Every served version, by id, the highest version first."""
        return [
            versions[version].served
            for _, versions in sorted(self._entries.items())
            for version in sorted(versions, key=version_key, reverse=True)
        ]


def check(entry: Entry, inputs: bytes) -> None:
    """Raise RefusedError, every problem located, where inputs do not fit."""
    problems = entry.problems(inputs)
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise RefusedError(
            "invalid_inputs",
            f"the inputs do not fit workflow {entry.served.workflow_id!r}: {count}",
            problems=problems,
        )


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
