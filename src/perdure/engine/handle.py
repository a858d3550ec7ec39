"""A worker as the engine has it at hand, and what it needs of whoever starts one."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from perdure.engine.state import Owned
from perdure.link import messages as m
from perdure.link.channel import Channel, Receiver


class Mark(Protocol):
    """What a worker had on the CPU: see the worker's marks."""

    @property
    def execution_id(self) -> str:
        """Whose code."""
        ...

    @property
    def position(self) -> str:
        """Of which task; empty for a step of the workflow."""
        ...

    @property
    def attempt(self) -> int:
        """Which attempt of it."""
        ...

    @property
    def deadline(self) -> float:
        """When the attempt runs out of time, on the monotonic clock; 0 for never."""
        ...


class WorkerProcess(Protocol):
    """A started worker: its process, or what stands for it in tests."""

    channel: Channel[m.ToWorker]

    def marks(self) -> Sequence[Mark]:
        """What is on its CPU now, or was when it died."""
        ...

    def death(self) -> str:
        """How it ended, as in "was killed by SIGSEGV"; empty where it has not, or nobody knows.

        To be asked once its channel has closed, before it is killed or buried.
        """
        ...

    def kill(self) -> None:
        """End it at once. That its channel closes tells that it is gone: until then its memory is
        given back, which may take the system a while. May be repeated.
        """
        ...

    def bury(self) -> None:
        """Wait until it is gone, and let go of what was shared with it. After `kill`, once."""
        ...


class Spawner(Protocol):
    """Starts workers."""

    async def spawn(self, number: int, receiver: Receiver[m.ToEngine]) -> WorkerProcess:
        """Start a worker; `receiver` hears what it says, and that it is gone."""
        ...


class Pool(Protocol):
    """Whom a handle tells what its worker says."""

    def received(self, handle: "Handle", messages: Sequence[m.ToEngine]) -> None:
        """Messages came from the worker."""
        ...

    def closed(self, handle: "Handle", reason: str) -> None:
        """The worker is gone."""
        ...


class Handle:
    """A worker, from its start to its end."""

    def __init__(
        self, pool: Pool, number: int, generation: int, suspect: str | None, started_s: float
    ) -> None:
        self._pool = pool
        self.number = number
        self.generation = generation
        """Which code it has (see `generations`)."""
        self.served: dict[tuple[str, str], str] = {}
        """The digests of what it serves, by workflow and version."""
        self.defined: OrderedDict[str, int] = OrderedDict()
        """The registered definitions that it has, by digest: the bytes of their bodies."""
        self.suspect = suspect
        """The execution for which it is a quarantine."""
        self.owned: dict[str, Owned] = {}
        self.serving = False
        self.leaving = False
        """Whether it is to be drained once another serves in its place."""
        self.draining = False
        self.killed = False
        self.gone = False
        self.started_s = started_s
        self.asked_s: float | None = None
        """Since when a ping is unanswered."""
        self.late_ticks = 0
        self.stalled = False
        self.unused_s: float | None = None
        """Since when a quarantine has nothing to do."""
        self._process: WorkerProcess | None = None

    @property
    def process(self) -> WorkerProcess:
        """The process. It stands before anything is sent or received."""
        assert self._process is not None
        return self._process

    @process.setter
    def process(self, process: WorkerProcess) -> None:
        self._process = process

    @property
    def channel(self) -> Channel[m.ToWorker]:
        """The way to it."""
        return self.process.channel

    @property
    def usable(self) -> bool:
        """Whether it takes executions."""
        ready = self.serving and self._process is not None
        return ready and not (self.draining or self.killed or self.gone or self.stalled)

    @property
    def launched(self) -> bool:
        """Whether its process stands."""
        return self._process is not None

    def kill(self) -> None:
        """End it at once; `closed` follows."""
        self.killed = True
        self.process.kill()

    def received(self, messages: Sequence[m.ToEngine]) -> None:
        """Messages came from the worker."""
        self._pool.received(self, messages)

    def closed(self, reason: str) -> None:
        """The worker is gone."""
        self._pool.closed(self, reason)
