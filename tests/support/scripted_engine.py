"""The engine's end of a link, for tests of a worker: records what it is told, answers as told.

By default every append that fits is committed at once, as by an engine whose disk is fast.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from perdure.link import messages as m
from perdure.link.channel import Channel
from perdure.link.memory import pair
from perdure.machine import events as e
from perdure.machine.batch import Batch, decode_batch, decode_event, encode_event
from perdure.ports.journal import InboxEntry
from perdure.ports.logs import NewLogRecord
from perdure.worker.assembly import Assembly
from perdure.worker.catalog import Loaded
from perdure.worker.definitions import compile_nothing
from perdure.worker.host import CACHED
from perdure.worker.marks import Marks
from perdure.worker.programs import Compile, Definition, Evaluator, Validator
from perdure.worker.threads import THREADS
from tests.support.virtual_time import VirtualClock

M = TypeVar("M")

EXECUTION = "exec-1"

NO_INPUTS: dict[str, object] = {}
_TURNS = 100
_POLL_S = 0.01


class ScriptedEngine:
    """What a worker has said, by execution, and a way to answer."""

    def __init__(self) -> None:
        self.messages: list[m.ToEngine] = []
        self.bodies: dict[str, list[bytes]] = {}
        self.inputs: dict[str, bytes] = {}
        self.logs: list[NewLogRecord] = []
        self.commits = True
        """Whether appends are committed at once."""
        self.channel: Channel[m.ToWorker] | None = None
        self.worker: Assembly | None = None
        self.marks: Marks | None = None
        self.closed_because: str | None = None
        self._inbox_seq = 0
        self._epochs: dict[str, int] = {}

    # -- the link ------------------------------------------------------------------------------

    def received(self, messages: Sequence[m.ToEngine]) -> None:
        """Take messages; commit appends."""
        for message in messages:
            self.messages.append(message)
            if isinstance(message, m.Append):
                self.logs += message.logs
            elif isinstance(message, m.Outcomes):
                self.logs += [line for outcome in message.outcomes for line in outcome.logs]
            elif isinstance(message, m.LogLines):
                self.logs += message.records
            if isinstance(message, m.Append) and self.commits:
                self.commit(message)

    def closed(self, reason: str) -> None:
        """Take note of the end."""
        self.closed_because = reason

    def send(self, message: m.ToWorker) -> None:
        """Tell the worker something."""
        assert self.channel is not None
        self.channel.send(message)

    # -- answers -------------------------------------------------------------------------------

    def commit(self, append: m.Append) -> None:
        """Record a batch and say so; it has to be the next one of its execution."""
        bodies = self.bodies.setdefault(append.execution_id, [])
        assert append.seq == len(bodies)
        assert append.epoch == self._epochs.get(append.execution_id)
        bodies.append(append.body)
        self.send(m.Committed(append.execution_id, append.epoch, append.seq))

    def commit_all(self) -> None:
        """Record every append that is not yet recorded."""
        for append in self.all(m.Append):
            if append.seq == len(self.bodies.setdefault(append.execution_id, [])):
                self.commit(append)

    def load(
        self,
        workflow_id: str,
        inputs: object = NO_INPUTS,
        *,
        execution_id: str = EXECUTION,
        since: int = 0,
        inbox: Sequence[e.AnyEvent] = (),
        **more: Any,
    ) -> int:
        """Give an execution to the worker, with what is recorded; the epoch."""
        epoch = self._epochs[execution_id] = self._epochs.get(execution_id, 0) + 1
        if execution_id not in self.inputs:
            self.inputs[execution_id] = msgspec.json.encode(inputs)
        bodies = self.bodies.setdefault(execution_id, [])
        defaults: dict[str, Any] = {"run": 1, "timeout_ms": None, "workflow_version": "1"}
        self.send(
            m.Load(
                execution_id=execution_id,
                epoch=epoch,
                workflow_id=workflow_id,
                next_seq=len(bodies),
                inputs=self.inputs[execution_id],
                batches=bodies[since:],
                inbox=self.rows(*inbox),
                **{**defaults, **more},
            )
        )
        return epoch

    def rows(self, *events: e.AnyEvent) -> list[InboxEntry]:
        """Events as new rows of the inbox."""
        rows = []
        for event in events:
            self._inbox_seq += 1
            rows.append(InboxEntry(self._inbox_seq, encode_event(event)))
        return rows

    def deliver(self, *events: e.AnyEvent, execution_id: str = EXECUTION) -> None:
        """Put events into the inbox, and hand them on."""
        epoch = self._epochs[execution_id]
        self.send(m.Deliver(execution_id, epoch, self.rows(*events)))

    # -- what was said -------------------------------------------------------------------------

    def all(self, kind: type[M]) -> list[M]:
        """Messages of a kind, in order."""
        return [message for message in self.messages if isinstance(message, kind)]

    def only(self, kind: type[M]) -> M:
        """The one message of a kind."""
        (message,) = self.all(kind)
        return message

    def batches(self, execution_id: str = EXECUTION) -> list[Batch]:
        """What was asked to be appended, in order."""
        appends = (x for x in self.all(m.Append) if x.execution_id == execution_id)
        return [decode_batch(append.body) for append in appends]

    def events(self, execution_id: str = EXECUTION) -> list[e.AnyEvent]:
        """The events of the batches."""
        return [batch.event for batch in self.batches(execution_id)]

    def kinds(self, execution_id: str = EXECUTION) -> list[str]:
        """The kinds of events of the batches."""
        return [type(event).__name__ for event in self.events(execution_id)]

    def outcomes(self) -> list[e.AnyEvent]:
        """Events that were handed back."""
        return [decode_event(x.event) for message in self.all(m.Outcomes) for x in message.outcomes]

    def ended(self, execution_id: str = EXECUTION) -> m.Ended | None:
        """How an execution ended, if it has."""
        for append in self.all(m.Append):
            if append.execution_id == execution_id and append.end is not None:
                return append.end
        return None

    def lines(self) -> list[str]:
        """The log: messages in order."""
        return [record.message for record in self.logs]

    # -- waiting -------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        turns = 0
        while not condition():
            turns += 1
            await asyncio.sleep(0 if turns < _TURNS else _POLL_S)

    async def until_sent(self, kind: type[M], count: int = 1) -> M:
        """Wait for the `count`-th message of a kind."""
        await self.until(lambda: len(self.all(kind)) >= count)
        return self.all(kind)[count - 1]

    async def until_ended(self, execution_id: str = EXECUTION) -> m.Ended:
        """Wait for the end of an execution."""
        await self.until(lambda: self.ended(execution_id) is not None)
        ended = self.ended(execution_id)
        assert ended is not None
        return ended

    async def settle(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(30):
            await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    *definitions: Definition,
    evaluator: Evaluator | None = None,
    compile_document: Compile = compile_nothing,
    validator: Validator | None = None,
    cached: int = CACHED,
    threads: int = THREADS,
) -> AsyncIterator[ScriptedEngine]:
    """An engine with a worker that serves these definitions, on the loop of the test."""
    loop = asyncio.get_running_loop()
    programs = {
        (served.workflow_id, served.version): definition
        for definition in definitions
        for served in [definition.served()]
    }
    marks = Marks.create(16)
    engine = ScriptedEngine()
    worker = Assembly(
        loop,
        Loaded(programs),
        VirtualClock(loop),
        lambda: 7,
        marks,
        evaluator=evaluator,
        compile_document=compile_document,
        validator=validator,
        cached=cached,
        threads=threads,
    )
    engine.worker = worker
    engine.marks = marks
    engine.channel, to_engine = pair(engine, worker.host)
    worker.connect(to_engine)
    engine.send(m.Configure(1, 10_000, 60_000))
    try:
        yield engine
    finally:
        worker.close()
        marks.close()
