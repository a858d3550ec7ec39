"""Registers documents: validated in a worker, kept in the store, executed from then on.

Invariants:
- Nobody is told of a registration that is not on disk.
- A version of a workflow has one content, for ever: that of whoever came first, which the store
  decides. Registering it again changes nothing.
- A version that the workers serve from files is not registered with other content.
"""

import msgspec

from perdure.engine.catalog import Entry
from perdure.engine.refusals import storage_failed
from perdure.engine.state import State
from perdure.engine.validations import Validations
from perdure.engine.workers import Workers
from perdure.link import messages as m
from perdure.ports.definitions import Definition, Register
from perdure.ports.runtime import DocumentProblem, Problem, RefusedError, Registered, Served

MOST_DEFINITIONS = 50_000
MOST_ANNOUNCED_BYTES = 256 * 1024 * 1024
"""What is registered at most: how many, and what is kept in memory of them."""


class Registry:
    """Takes documents, and tells what is registered."""

    def __init__(self, state: State, workers: Workers) -> None:
        self._state = state
        self._workers = workers
        self._validations = Validations(state, workers)
        self._count = 0
        self._bytes = 0

    async def start(self) -> None:
        """Take up what is registered."""
        state = self._state
        self._take(*await state.read(state.journal.definitions))

    async def validate(self, source: bytes) -> list[DocumentProblem]:
        """Every problem of a document."""
        self._refuse_for_now()
        validated = await self._validations.run(source)
        return _problems(validated)

    async def register(self, source: bytes) -> Registered:
        """Keep a document; on disk on return."""
        self._refuse_for_now()
        definition = _definition(source, await self._validations.run(source))
        served = definition.served
        created = not self._is_known(served) and await self._kept(definition)
        offer = self._state.catalog.offer(served.workflow_id, served.version)
        return Registered(offer, definition.source, created)

    async def source(self, served: Served) -> str | None:
        """The text of a definition; None where it is not known."""
        state, named = self._state, (served.workflow_id, served.version)
        if state.catalog.registered(*named) != served:
            return served.source
        return await state.read(state.journal.definition_source, *named)

    # -- keeping -------------------------------------------------------------------------------

    def _is_known(self, served: Served) -> bool:
        """Whether this very definition is registered. Refuses where another has its name."""
        catalog, named = self._state.catalog, (served.workflow_id, served.version)
        registered, announced = catalog.registered(*named), catalog.announced(*named)
        if registered is not None:
            if registered.digest != served.digest:
                raise _conflict(served, "it is registered")
            return True
        if announced is not None and announced.digest != served.digest:
            raise _conflict(served, "it is served from a file")
        return False

    async def _kept(self, definition: Definition) -> bool:
        """Record a definition: whether it is new. Refuses where another has its name."""
        state, served = self._state, definition.served
        size = _size(served)
        if self._count >= MOST_DEFINITIONS or self._bytes + size > MOST_ANNOUNCED_BYTES:
            raise RefusedError(
                "registry_full",
                f"{self._count:,} documents are registered, and more do not fit; nothing was "
                "registered",
            )
        register = Register(definition=definition, registered_at=state.clock.now_ms())
        outcome = await state.submit(register)
        if outcome.reason == "mismatch":
            raise _conflict(served, "it is registered")
        if outcome.reason not in ("", "duplicate"):
            raise storage_failed(outcome.detail)
        self._take(served)
        return outcome.done

    def _take(self, *definitions: Served) -> None:
        """Have definitions executed that are on disk."""
        catalog = self._state.catalog
        new = [x for x in definitions if catalog.registered(x.workflow_id, x.version) is None]
        catalog.register(new)
        self._count += len(new)
        self._bytes += sum(map(_size, new))

    def _refuse_for_now(self) -> None:
        state = self._state
        if state.stopping:
            raise RefusedError("shutting_down", "the server is shutting down", retry_after_s=5)
        self._workers.require_first()
        if state.journal.backlog > state.limits.max_backlog:
            raise RefusedError("overloaded", "too many changes wait to be written", retry_after_s=1)


def _definition(source: bytes, validated: m.Validated) -> Definition:
    """What is to be kept of a document. Refuses where it is not valid."""
    problems = _problems(validated)
    if not problems and validated.served is not None and validated.body is not None:
        served = msgspec.structs.replace(validated.served, source=None)
        return Definition(
            served=served, source=source.decode(errors="replace"), body=validated.body
        )
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise RefusedError(
        "invalid_document",
        f"the document is not valid: {count}; nothing was registered",
        problems=[Problem(each.location, _placed(each)) for each in problems],
    )


def _problems(validated: m.Validated) -> list[DocumentProblem]:
    """What the worker has found, and what keeps the server from executing it."""
    faults = [] if validated.served is None else Entry(validated.served).faults()
    placed = [DocumentProblem(each.location, 1, 1, each.message) for each in faults]
    return [*validated.problems, *placed]


def _placed(problem: DocumentProblem) -> str:
    return f"line {problem.line}, column {problem.column}: {problem.message}"


def _conflict(served: Served, why: str) -> RefusedError:
    return RefusedError(
        "version_conflict",
        f"version {served.version!r} of workflow {served.workflow_id!r} has other content: {why}. "
        "Versions never change: give the document a new `version`",
    )


def _size(served: Served) -> int:
    """About what an announcement takes in memory."""
    texts = sum(map(len, (*served.unsupported, *served.tags, *served.tags.values(), served.title)))
    return 1_000 + len(served.input_schema) + texts
