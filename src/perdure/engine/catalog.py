"""What the workers serve, and whether inputs fit it.

Schemas are checked with a validator whose regexes run in linear time and which fetches nothing.
The newest generation of workers that has reported decides; older ones that still run keep what
they own.

A workflow is retired up to a version, the highest that was served at that time: callers start none
of these any more, while executions that there are, and their children, go on. A higher version can
be executed as soon as it is served.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import jsonschema_rs
import msgspec

from perdure.link.messages import ImportProblem
from perdure.model.version import version_key
from perdure.ports.journal import Retirement
from perdure.ports.runtime import Offer, Problem, RefusedError, Served
from perdure.wire.times import moment

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
        self._ids: list[str] = []
        self._retirements: dict[str, Retirement] = {}
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
        self._ids = sorted(self._entries)

    def retire(self, retirements: Iterable[Retirement]) -> None:
        """Take retirements that are on disk."""
        self._retirements.update((each.workflow_id, each) for each in retirements)

    def is_retired(self, workflow_id: str) -> bool:
        """Whether versions of this workflow are retired, which need not be served any more."""
        return workflow_id in self._retirements

    def new_problems(self, problems: Sequence[ImportProblem]) -> Sequence[ImportProblem]:
        """Those of the problems that are of paths which could be loaded so far."""
        known = {problem.path for problem in self.problems}
        return [problem for problem in problems if problem.path not in known]

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

    def offered(self, workflow_id: str, version: str | None) -> Entry:
        """The named version, or the highest, for a caller to execute.

        Raises RefusedError where there is none, or where it is retired.
        """
        retirement = self._retirements.get(workflow_id)
        if retirement is None:
            return self.find(workflow_id, version)
        if workflow_id in self._entries:
            entry = self.find(workflow_id, version)
            if self._retired_at(entry.served) is None:
                return entry
        raise RefusedError(
            "workflow_retired",
            f"workflow {workflow_id!r} was retired at {moment(retirement.retired_at)} up to "
            f"version {retirement.version}: a higher version can be executed where it is served",
        )

    def highest(self, workflow_id: str) -> Offer | None:
        """The highest served version of a workflow."""
        entry = self._highest.get(workflow_id)
        return None if entry is None else self._offer(entry)

    def offers(self, after: str, limit: int, *, retired: bool) -> Sequence[Offer]:
        """The highest version of each workflow by id, from the first id beyond `after` on."""
        found: list[Offer] = []
        for workflow_id in self._ids[bisect_right(self._ids, after) :]:
            offer = self._offer(self._highest[workflow_id])
            if retired or offer.retired_at is None:
                found.append(offer)
                if len(found) == limit:
                    break
        return found

    def versions(self, workflow_id: str) -> Sequence[Offer]:
        """Every served version of a workflow, the highest first. Raises RefusedError for none."""
        versions = self._entries.get(workflow_id)
        if versions is None:
            raise RefusedError("unknown_workflow", f"no workflow {workflow_id!r} is served")
        by_height = sorted(versions, key=version_key, reverse=True)
        return [self._offer(versions[version]) for version in by_height]

    def _offer(self, entry: Entry) -> Offer:
        return Offer(entry.served, self._retired_at(entry.served))

    def _retired_at(self, served: Served) -> int | None:
        retirement = self._retirements.get(served.workflow_id)
        if retirement is None or version_key(served.version) > version_key(retirement.version):
            return None
        return retirement.retired_at

    def serves(self, workflow_id: str, version: str) -> bool:
        """Whether this very version is served."""
        return version in self._entries.get(workflow_id, ())

    def all(self) -> Sequence[Served]:
        """Every version that callers can execute, by id, the highest first."""
        return [
            offer.served
            for workflow_id in self._ids
            for offer in self.versions(workflow_id)
            if offer.retired_at is None
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
