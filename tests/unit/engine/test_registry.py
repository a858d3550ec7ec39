"""Documents are validated by workers, kept once, and handed to workers before they are needed."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from perdure.engine import defining, registry, validations
from perdure.engine.defining import Defining
from perdure.engine.generations import Pin
from perdure.engine.registry import Registry
from perdure.engine.state import Limits, Owned, State
from perdure.link import messages as m
from perdure.ports.journal import Outcome
from perdure.ports.runtime import DocumentProblem, RefusedError, Served
from perdure.store.sqlite.store import SqliteStore
from tests.recovery.simulation import InlineReader
from tests.support.virtual_time import VirtualClock, run_virtually

Answer = Callable[[bytes], m.Validated | None]


def valid(source: bytes) -> m.Validated:
    """A document is ``ID VERSION CONTENT``."""
    workflow_id, version, *_ = source.decode().split()
    digest = f"of {source.decode().partition('#')[0].strip()}"
    served = Served(workflow_id=workflow_id, version=version, digest=digest, kind="document")
    return m.Validated(0, (), served, source)


class Worker:
    """A worker that answers what a test says; nothing where that is None."""

    def __init__(self, pool: "Pool", number: int) -> None:
        self.number = number
        self.owned: dict[str, Owned] = {}
        self.served: dict[tuple[str, str], str] = {}
        self.defined: OrderedDict[str, int] = OrderedDict()
        self.draining = False
        self.channel = self
        self.sent: list[m.ToWorker] = []
        self._pool = pool

    def send(self, message: m.ToWorker) -> None:
        self.sent.append(message)
        if isinstance(message, m.Validate):
            answer = self._pool.answer(message.source)
            if answer is not None:
                told = m.Validated(
                    message.number, answer.problems, answer.served, answer.body, answer.failed
                )
                asyncio.get_running_loop().call_soon(self._pool.on_validated, self, told)

    def close(self) -> None: ...


class Pool:
    """The workers that there are."""

    on_validated: Callable[[Any, m.Validated], None]
    on_gone: Callable[[Any], None]

    def __init__(self) -> None:
        self.answer: Answer = valid
        self.workers = [Worker(self, 1)]

    def serving_now(self) -> list[Worker]:
        return self.workers

    def require_first(self) -> None: ...


class House:
    """A registry over a real store, and its workers."""

    def __init__(self, folder: Path, workers: int) -> None:
        loop = asyncio.get_running_loop()
        self.store = SqliteStore.open(folder, loop.call_soon, threads=False)
        clock, limits = VirtualClock(loop), Limits(workers=workers)
        self.state = State(self.store.journal, self.store.logs, clock, InlineReader(), limits)
        self.pool = Pool()
        self.registry = Registry(self.state, self.pool)  # type: ignore[arg-type]

    async def code(self, source: bytes) -> str:
        """The code with which a document is refused."""
        with pytest.raises(RefusedError) as refused:
            await self.registry.register(source)
        return refused.value.code

    def kept(self) -> list[str]:
        return [f"{each.workflow_id} {each.version}" for each in self.store.journal.definitions()]


@asynccontextmanager
async def house(folder: Path, *, workers: int = 1) -> AsyncIterator[House]:
    made = House(folder, workers)
    await made.registry.start()
    yield made
    made.store.close()


def test_a_document_is_kept_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            first = await its.registry.register(b"a 1 # one")
            again = await its.registry.register(b"a 1 # two")
            assert (first.created, again.created) == (True, False)
            assert first.offer == again.offer
            assert again.source == "a 1 # two"
            assert await its.registry.source(first.offer.served) == "a 1 # one"
            assert await its.code(b"a 1 other") == "version_conflict"
            assert (await its.registry.register(b"a 2")).offer.served.version == "2"
        async with house(tmp_path) as its:
            assert its.kept() == ["a 1", "a 2"]
            assert its.state.catalog.find("a", None).served.version == "2"
            assert not (await its.registry.register(b"a 1")).created
            assert await its.code(b"a 2 other") == "version_conflict"

    run_virtually(run())


def test_of_several_at_once_the_first_counts(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, workers=8) as its:
            sources = [b"a 1", b"a 1 other", b"a 1", b"b 1", b"a 1 other"]
            found = await asyncio.gather(
                *(its.registry.register(source) for source in sources), return_exceptions=True
            )
            told = [each.code if isinstance(each, RefusedError) else each.created for each in found]  # type: ignore[union-attr]
            assert told == [True, "version_conflict", False, True, "version_conflict"]
            assert its.kept() == ["a 1", "b 1"]

    run_virtually(run())


def test_nothing_is_kept_of_what_is_not_valid(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            found = [DocumentProblem("/do", 3, 5, "is empty")]
            its.pool.answer = lambda source: m.Validated(0, found)
            with pytest.raises(RefusedError) as refused:
                await its.registry.register(b"a 1")
            [problem] = refused.value.problems
            assert (problem.location, problem.message) == ("/do", "line 3, column 5: is empty")
            assert await its.registry.validate(b"a 1") == found
            its.pool.answer = lambda source: m.Validated(0, failed="it took too long")
            assert await its.code(b"a 1") == "invalid_document"
            broken = Served(workflow_id="a", version="1", digest="d", input_schema=b'{"type":5}')
            its.pool.answer = lambda source: m.Validated(0, (), broken, b"{}")
            assert await its.code(b"a 1") == "invalid_document"
            assert [each.location for each in await its.registry.validate(b"a 1")] == [
                "/input/schema"
            ]
            assert its.kept() == []

    run_virtually(run())


def test_a_version_that_is_served_from_a_file_keeps_its_content(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            same = Served(workflow_id="a", version="1", digest="of a 1", kind="document")
            python = Served(workflow_id="p", version="1", digest="d")
            its.state.catalog.replace(1, [same, python], ())
            assert await its.code(b"p 1") == "version_conflict"
            assert await its.code(b"a 1 other") == "version_conflict"
            assert (await its.registry.register(b"p 2")).created
            assert (await its.registry.register(b"a 1")).created, "it stays when the file goes"
            its.state.catalog.replace(2, [], ())
            assert [each.workflow_id for each in its.state.catalog.all()] == ["a", "p"]

    run_virtually(run())


def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            await its.registry.register(b"a 1")
            monkeypatch.setattr(registry, "MOST_DEFINITIONS", 1)
            assert await its.code(b"b 1") == "registry_full"
            assert not (await its.registry.register(b"a 1")).created
            monkeypatch.setattr(registry, "MOST_DEFINITIONS", 2)
            monkeypatch.setattr(registry, "MOST_ANNOUNCED_BYTES", 1_500)
            assert await its.code(b"b 1") == "registry_full"

    run_virtually(run())


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:

            async def refusing(change: object) -> Outcome:
                return Outcome(done=False, reason="storage", detail="the disk is full")

            with monkeypatch.context() as patched:
                patched.setattr(its.state, "submit", refusing)
                assert await its.code(b"a 1") == "storage_failed"
            assert its.state.catalog.registered("a", "1") is None
            assert (await its.registry.register(b"a 1")).created

    run_virtually(run())


# -- validation --------------------------------------------------------------------------------


def test_documents_wait_for_their_turn_and_few_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validations, "WAITING", 3)

    async def run() -> None:
        async with house(tmp_path) as its:
            its.pool.answer = lambda source: None
            tasks = [asyncio.create_task(its.code(b"a 1")) for _ in range(5)]
            await asyncio.sleep(1)
            assert len(its.pool.workers[0].sent) == 1, "one at a time"
            assert [task.result() for task in tasks if task.done()] == ["overloaded"] * 2
            assert await asyncio.gather(*tasks) == ["overloaded"] * 5, "their patience has an end"
            its.pool.answer = valid
            assert (await its.registry.register(b"a 1")).created

    run_virtually(run())


def test_the_least_asked_worker_is_asked(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, workers=2) as its:
            its.pool.workers.append(Worker(its.pool, 2))
            its.pool.answer = lambda source: None
            tasks = [asyncio.create_task(its.code(b"a 1")) for _ in range(3)]
            await asyncio.sleep(1)
            assert [len(worker.sent) for worker in its.pool.workers] == [1, 1]
            await asyncio.gather(*tasks)

    run_virtually(run())


def test_a_worker_that_dies_is_the_fault_of_nobody(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            its.pool.answer = lambda source: None
            task = asyncio.create_task(its.code(b"a 1"))
            await asyncio.sleep(1)
            [dead], its.pool.workers = its.pool.workers, []
            its.pool.on_gone(dead)
            assert await task == "not_ready"
            assert await its.code(b"a 1") == "not_ready", "there is no worker"
            its.pool.workers = [Worker(its.pool, 2)]
            its.pool.answer = valid
            late = m.Validated(1, failed="too late")
            its.pool.on_validated(dead, late)
            assert (await its.registry.register(b"a 1")).created

    run_virtually(run())


def test_nothing_is_validated_once_the_server_stops(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            its.state.stopping = True
            assert await its.code(b"a 1") == "shutting_down"

    run_virtually(run())


# -- definitions on their way ------------------------------------------------------------------


def pin(workflow_id: str = "a", digest: str = "of a 1") -> Pin:
    return Pin(workflow_id, "1", digest)


def test_a_worker_is_sent_a_definition_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            await its.registry.register(b"a 1")
            way, [worker] = Defining(its.state), its.pool.workers
            worker.sent.clear()
            assert way.define(worker, pin()) is None, "its body is to be fetched first"
            await way.fetch(pin())
            for _ in range(2):
                assert way.define(worker, pin()) == "of a 1"
            assert worker.sent == [m.Define("of a 1", b"a 1")]
            other = Worker(its.pool, 2)
            assert way.define(other, pin()) == "of a 1"

    run_virtually(run())


def test_an_execution_runs_the_code_that_it_is_pinned_to(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as its:
            await its.registry.register(b"a 1")
            way, [worker] = Defining(its.state), its.pool.workers
            await way.fetch(pin())
            worker.served = {("a", "1"): "of a file"}
            assert way.define(worker, pin("a", "of a file")) == "", "begun with that file"
            assert way.define(worker, pin("a", "of a 1")) == "of a 1"
            assert way.define(worker, pin("a", "of neither")) == "of a 1"
            assert way.define(worker, pin("b", "d")) == "", "nothing else is registered"
            await way.fetch(pin("b", "d"))

    run_virtually(run())


def test_neither_side_keeps_more_than_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defining, "SENT_BYTES", 10)
    monkeypatch.setattr(defining, "KEPT_BYTES", 10)

    async def run() -> None:
        async with house(tmp_path) as its:
            way, [worker] = Defining(its.state), its.pool.workers
            ids = ["a", "b", "c", "d"]
            for workflow_id in ids:
                await its.registry.register(f"{workflow_id} 1".encode())
            worker.sent.clear()
            for workflow_id in (*ids, "c", "a"):
                named = pin(workflow_id, f"of {workflow_id} 1")
                await way.fetch(named)
                assert way.define(worker, named) == named.digest
            has = list[str]()
            for message in worker.sent:
                if isinstance(message, m.Define):
                    has.append(message.digest)
                elif isinstance(message, m.Forget):
                    has.remove(message.digest)
                assert len(has) <= 4
            assert sorted(has) == sorted(worker.defined)
            assert list(worker.defined) == ["of d 1", "of c 1", "of a 1"]

    run_virtually(run())
