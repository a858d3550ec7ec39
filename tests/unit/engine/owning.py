"""An ownership over a real store in virtual time, with a worker that is played by the test.

Either file of the store can be made to fail; nothing of it has a thread.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import msgspec

from perdure.engine.ownership import Ownership
from perdure.engine.state import Limits, Owned, State
from perdure.link import messages as m
from perdure.machine import events as e
from perdure.machine.batch import encode_batch, encode_event
from perdure.ports.logs import TASK_LINE, LogQuery, NewLogRecord
from perdure.store.sqlite.store import JOURNAL_FILE, LOGS_FILE, SqliteStore
from perdure.store.sqlite.transaction import commit
from tests.recovery.simulation import InlineReader
from tests.support.virtual_time import START_MS, VirtualClock
from tests.unit.engine.recorded import completed
from tests.unit.ports.subject import creation

ID = "exec-374bao9k00000"
TASK = "/task"


class Channel:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[m.ToWorker] = []

    def send(self, message: m.ToWorker) -> None:
        """Take note of a message."""
        self.sent.append(message)

    def close(self) -> None:
        """Nothing to close."""


class PlayedWorker:
    """A worker whose part the test plays."""

    def __init__(self) -> None:
        self.number = 1
        self.owned: dict[str, Owned] = {}
        self.channel = Channel()
        self.draining = False
        self.served: dict[tuple[str, str], str] = {}
        self.defined: OrderedDict[str, int] = OrderedDict()


class Owning:
    """An execution, its first batch recorded, that `worker` owns under epoch 1."""

    def __init__(self, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.failing: set[str] = set()
        """The files whose commits fail."""
        self.store = SqliteStore.open(folder, loop.call_soon, threads=False, commit=self._commit)
        self.state = State(
            self.store.journal, self.store.logs, VirtualClock(loop), InlineReader(), Limits()
        )
        self.ownership = Ownership(self.state, lambda: "")
        self.worker = PlayedWorker()
        self.ready: list[float] = []
        """When the execution was to be loaded."""
        self.ownership.on_ready = lambda _: self.ready.append(loop.time())
        self.ownership.returns.on_ready = self.ownership.on_ready

    def _commit(self, connection: apsw.Connection) -> None:
        if Path(connection.filename).name in self.failing:
            raise apsw.FullError("the disk is full")
        commit(connection)

    def own(self, epoch: int = 1) -> Owned:
        """Give the execution to the worker."""
        row = self.store.journal.row(ID)
        assert row is not None
        owned = Owned(ID, row.workflow_id, self.worker, epoch)
        owned.next_seq = row.next_seq
        load = m.Load(ID, epoch, "flow", "1", 1, None, row.next_seq, b"{}")
        self.ownership.own(owned, load)
        return owned

    def append(self, seq: int, *lines: str, epoch: int = 1, **more: object) -> None:
        """The worker wants an outcome recorded, with lines."""
        body = encode_batch(completed(TASK), [])
        append = m.Append(ID, epoch, seq, 0, 0, body, False, True, logs=told(*lines))
        self.ownership.append(self.worker, msgspec.structs.replace(append, **more))

    def hand_back(
        self, seq: int | None, *lines: str, generation: int = 0, by: PlayedWorker | None = None
    ) -> None:
        """The worker hands the outcome back, or another one that owned it under this epoch."""
        outcome = m.Unrecorded(encode_event(completed(TASK)), told(*lines), seq)
        self.ownership.returns.take(by or self.worker, m.Outcomes(ID, 1, generation, [outcome]))

    def release(self, epoch: int = 1) -> None:
        """The worker has let go of the machine."""
        self.ownership.released(self.worker, m.Released(ID, epoch, 0))

    def inbox(self) -> int:
        """How many rows its inbox has."""
        snapshot = self.store.journal.snapshot(ID)
        assert snapshot is not None
        return len(snapshot.inbox)

    def batches(self) -> int:
        """How many batches it has."""
        row = self.store.journal.row(ID)
        assert row is not None
        return row.next_seq

    def lines(self) -> list[str]:
        """Its log."""
        page = self.store.logs.page(ID, LogQuery(limit=1_000))
        return [record.message for record in page.records]

    def sent(self, kind: type[m.Message]) -> Sequence[m.Message]:
        """What the worker was told, of a kind."""
        return [message for message in self.worker.channel.sent if isinstance(message, kind)]


def told(*lines: str) -> list[NewLogRecord]:
    """Lines of the task."""
    return [
        NewLogRecord(ID, START_MS, "INFO", "task", line, None, TASK_LINE, TASK) for line in lines
    ]


@asynccontextmanager
async def owning(folder: Path) -> AsyncIterator[Owning]:
    """An execution that is owned and has its first batch."""
    its = Owning(folder)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    await its.state.submit(creation(ID))
    its.own()
    started = e.ExecutionStarted(
        time=START_MS, seed=1, workflow_id="flow", workflow_version="1", digest="", run=1
    )
    its.append(0, body=encode_batch(started, []))
    await settled()
    yield its
    its.store.close()


async def settled() -> None:
    """Let happen what happens now."""
    for _ in range(20):
        await asyncio.sleep(0)


DISK = {JOURNAL_FILE, LOGS_FILE}
