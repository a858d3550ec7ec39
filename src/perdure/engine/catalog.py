"""What can be executed: what the workers serve, and what is registered.

Workers serve Python workflows and documents from files; of those the newest generation of workers
that has reported decides, and older ones that still run keep what they own. Registered definitions
are in the store, and any worker executes them. Both have one namespace of ids, and the versions of
a workflow may come from either. Where both have the same version in another content, the
registered one counts, since what was registered is never taken away by what somebody deploys; the
other is a problem, told with those of loading.

A workflow is retired up to a version, the highest that was served at that time: callers start none
of these any more, while executions that there are, and their children, go on. A higher version can
be executed as soon as it is served.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from perdure.engine.inputs import InputSchema
from perdure.link.messages import ImportProblem
from perdure.model.version import version_key
from perdure.ports.journal import Retirement
from perdure.ports.runtime import Offer, Problem, RefusedError, Served
from perdure.wire.times import moment

LARGEST_SCHEMA_BYTES = 256 * 1024
TAGS, TAG_NAME, TAG_TEXT = 64, 128, 256
"""What may be said of a document in lists: the schema of its inputs, and tags, as of a start."""
_UNSUPPORTED_NAMED = 10

_Versions = dict[str, "Entry"]


class Entry:
    """A workflow version that can be executed. A `registered` one is in the store."""

    def __init__(self, served: Served, *, registered: bool = False) -> None:
        self.served = served
        self.registered = registered
        self._inputs = InputSchema(served.input_schema, trusted=served.kind == "python")

    def problems(self, inputs: bytes) -> Sequence[Problem]:
        """What is wrong with these inputs (a JSON object); nothing, most often."""
        return self._inputs.problems(inputs)

    def faults(self) -> Sequence[Problem]:
        """What keeps it from being executed: its input schema is none, or it says too much."""
        fault = self._inputs.fault()
        found = [] if fault is None else [Problem("/input/schema", f"is no JSON Schema: {fault}")]
        served = self.served
        if served.kind == "python":
            return found
        if len(served.input_schema) > LARGEST_SCHEMA_BYTES:
            size = f"{len(served.input_schema):,} bytes of JSON, of {LARGEST_SCHEMA_BYTES:,}"
            found.append(Problem("/input/schema", f"is too large: it has {size}"))
        if len(served.tags) > TAGS:
            found.append(Problem("/document/tags", f"has more than {TAGS} tags"))
        if any(len(name) > TAG_NAME or len(tag) > TAG_TEXT for name, tag in served.tags.items()):
            limits = f"a name may have {TAG_NAME} characters, its tag {TAG_TEXT}"
            found.append(Problem("/document/tags", f"has a tag that is too long: {limits}"))
        return found


class ServedCatalog:
    """The workflows that can be executed."""

    def __init__(self) -> None:
        self._announced: dict[str, _Versions] = {}
        self._registered: dict[str, _Versions] = {}
        self._entries: dict[str, _Versions] = {}
        self._highest: dict[str, Entry] = {}
        self._ids: list[str] = []
        self._retirements: dict[str, Retirement] = {}
        self._import_problems: Sequence[ImportProblem] = ()
        self.generation = -1

    def replace(
        self, generation: int, workflows: Sequence[Served], problems: Sequence[ImportProblem]
    ) -> None:
        """Take what a worker reports, unless a newer generation has reported already."""
        if generation < self.generation:
            return
        known, self._announced = self._announced, {}
        self.generation = generation
        faults = []
        for served in workflows:
            before = known.get(served.workflow_id, {}).get(served.version)
            entry = before if before and before.served == served else Entry(served)
            found = [f"{each.location} {each.message}" for each in entry.faults()]
            if not found:
                self._announced.setdefault(served.workflow_id, {})[served.version] = entry
            else:
                faults.append(ImportProblem(_named(served), "\n".join(found)))
        self._import_problems = [*problems, *faults]
        for workflow_id in {*known, *self._announced}:
            self._merge(workflow_id)

    def register(self, definitions: Iterable[Served]) -> None:
        """Take definitions that are on disk."""
        for served in definitions:
            versions = self._registered.setdefault(served.workflow_id, {})
            if served.version not in versions:
                versions[served.version] = Entry(served, registered=True)
                self._merge(served.workflow_id)

    def _merge(self, workflow_id: str) -> None:
        """See anew to what a workflow is made of."""
        announced = self._announced.get(workflow_id, {})
        versions = {**announced, **self._registered.get(workflow_id, {})}
        place = bisect_left(self._ids, workflow_id)
        if not versions:
            self._entries.pop(workflow_id, None)
            self._highest.pop(workflow_id, None)
            del self._ids[place : bisect_right(self._ids, workflow_id)]
            return
        if workflow_id not in self._entries:
            insort(self._ids, workflow_id)
        self._entries[workflow_id] = versions
        self._highest[workflow_id] = versions[max(versions, key=version_key)]

    # -- problems ------------------------------------------------------------------------------

    @property
    def problems(self) -> Sequence[ImportProblem]:
        """What the workers could not load, or what does not count beside what is registered."""
        announced = [x.served for versions in self._announced.values() for x in versions.values()]
        return [*self._import_problems, *self._overruled(announced)]

    def new_problems(
        self, workflows: Sequence[Served], problems: Sequence[ImportProblem]
    ) -> Sequence[ImportProblem]:
        """Those of what a worker reports that are of paths which could be loaded so far."""
        known = {problem.path for problem in self.problems}
        found = [*problems, *self._overruled(workflows)]
        return [problem for problem in found if problem.path not in known]

    def _overruled(self, workflows: Iterable[Served]) -> list[ImportProblem]:
        return [
            ImportProblem(
                _named(served),
                "is registered with other content, and what is registered is executed: give the "
                "one that is loaded another version",
            )
            for served in workflows
            if (known := self.registered(served.workflow_id, served.version)) is not None
            and known.digest != served.digest
        ]

    # -- looking up ----------------------------------------------------------------------------

    def registered(self, workflow_id: str, version: str) -> Served | None:
        """A registered definition, or None."""
        entry = self._registered.get(workflow_id, {}).get(version)
        return None if entry is None else entry.served

    def announced(self, workflow_id: str, version: str) -> Served | None:
        """What the workers serve under a name, or None."""
        entry = self._announced.get(workflow_id, {}).get(version)
        return None if entry is None else entry.served

    def all_announced(self) -> Sequence[Served]:
        """All that the workers serve."""
        return [x.served for versions in self._announced.values() for x in versions.values()]

    def retire(self, retirements: Iterable[Retirement]) -> None:
        """Take retirements that are on disk."""
        self._retirements.update((each.workflow_id, each) for each in retirements)

    def is_retired(self, workflow_id: str) -> bool:
        """Whether versions of this workflow are retired, which need not be served any more."""
        return workflow_id in self._retirements

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

    def offer(self, workflow_id: str, version: str) -> Offer:
        """A version. Raises RefusedError where there is none."""
        return self._offer(self.find(workflow_id, version))

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
    """Raise RefusedError, every problem located, where a version cannot be started with inputs."""
    _refuse_unsupported(entry.served)
    problems = entry.problems(inputs)
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise RefusedError(
            "invalid_inputs",
            f"the inputs do not fit workflow {entry.served.workflow_id!r}: {count}",
            problems=problems,
        )


def _refuse_unsupported(served: Served) -> None:
    if served.unsupported:
        named = "; ".join(served.unsupported[:_UNSUPPORTED_NAMED])
        more = len(served.unsupported) - _UNSUPPORTED_NAMED
        raise RefusedError(
            "unsupported_task",
            f"{_named(served)} has tasks that are not executed yet: {named}"
            + (f"; and {more} more" if more > 0 else ""),
        )


def _named(served: Served) -> str:
    return f"{served.workflow_id} version {served.version}"
