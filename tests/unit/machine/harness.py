"""Plays the engine, by hand, for one execution.

Every step is recorded through the encoding of the journal, and the whole record is replayed on a
new machine, whose state has to be the one of the machine that ran live.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine import program
from perdure.machine.batch import Batch, decode_batch, encode_batch
from perdure.machine.machine import Machine, Program
from perdure.machine.retry import RetryPolicy
from perdure.model import failure as failures
from perdure.model.encoding import encode
from perdure.model.failure import Failure

START_MS = 1_000_000
CLEANUP_MS = 300_000
BOOM = failures.runtime("boom", title="ValueError")

CommandT = TypeVar("CommandT", bound=c.Command)


class Function:
    """An async function without parameters as a program."""

    def __init__(self, function: Callable[[], Awaitable[Any]]) -> None:
        self._function = function

    async def begin(self, inputs: bytes) -> bytes:
        return encode(await self._function(), "the result")


async def run(name: str, *, retries: int = 0, total_ms: int | None = None) -> Any:
    """Run a task of this name without input."""
    policy = RetryPolicy(retries=retries, jitter=0.0)
    return await program.run_task(
        name, b"{}", None, retry=policy, total_timeout_ms=total_ms, decode=msgspec.json.decode
    )


def raw(value: Any) -> msgspec.Raw:
    """A value as events and commands carry it."""
    return msgspec.Raw(json.dumps(value).encode())


class Played:
    """One execution, from its start; `asked` is what the last event made it ask for."""

    def __init__(
        self,
        played: Program | Callable[[], Coroutine[Any, Any, Any]],
        inputs: bytes = b"{}",
        *,
        seed: int = 1,
        timeout_ms: int | None = None,
        carried: tuple[c.Carried, ...] = (),
        check_replays: bool = True,
    ) -> None:
        self._program: Program = played if hasattr(played, "begin") else Function(played)
        self._inputs = inputs
        self._check_replays = check_replays
        self.record: list[bytes] = []
        self.machine = self.new_machine()
        self.time = START_MS
        self.asked: list[c.AnyCommand] = []
        self.deliver(
            e.ExecutionStarted(
                time=START_MS,
                seed=seed,
                workflow_id="played",
                workflow_version="1",
                timeout_ms=timeout_ms,
                carried=carried,
            )
        )

    # -- events --------------------------------------------------------------------------------

    def deliver(self, event: e.AnyEvent) -> bool:
        """Deliver an event and record its batch; whether it was taken."""
        asked = self.machine.deliver(event)
        if asked is None:
            return False
        self.asked = asked
        self.record.append(encode_batch(event, asked))
        if self._check_replays:
            self._compare_with_replay()
        return True

    def complete(self, position: str, output: Any = None) -> bool:
        """The open attempt at a position returns."""
        attempt = self.attempt(position)
        return self.deliver(
            e.TaskCompleted(time=self.time, position=position, attempt=attempt, output=raw(output))
        )

    def fail(self, position: str, failure: Failure = BOOM, *, retryable: bool = True) -> bool:
        """The open attempt at a position fails."""
        return self.deliver(
            e.TaskFailed(
                time=self.time,
                position=position,
                attempt=self.attempt(position),
                failure=failure,
                retryable=retryable,
            )
        )

    def stopped(self, position: str) -> bool:
        """The open attempt at a position stops, as it was asked to."""
        return self.deliver(
            e.TaskCancelled(time=self.time, position=position, attempt=self.attempt(position))
        )

    def fire(self, position: str) -> bool:
        """The timer at a position falls due, and time is what it was set for."""
        command = self.machine.open[position].command
        assert isinstance(command, c.StartTimer)
        self.time = max(self.time, command.due_ms)
        return self.deliver(e.TimerFired(time=self.time, position=position))

    def send(self, name: str, data: Any = None) -> bool:
        """An event comes from outside."""
        return self.deliver(e.EventReceived(time=self.time, name=name, data=raw(data)))

    def cancel(self) -> bool:
        """Somebody asks for the execution to be cancelled."""
        return self.deliver(e.CancelRequested(time=self.time))

    # -- looking -------------------------------------------------------------------------------

    def attempt(self, position: str) -> int:
        """The number of the open attempt at a position."""
        command = self.machine.open[position].command
        assert isinstance(command, c.RunTask)
        return command.attempt

    @property
    def open(self) -> list[str]:
        """The positions of open commands, in the order of asking."""
        return list(self.machine.open)

    @property
    def asks(self) -> list[str]:
        """What was asked last: kind and position."""
        return [f"{type(command).__name__} {command.position}".rstrip() for command in self.asked]

    def last(self, kind: type[CommandT]) -> CommandT:
        """The last command of those asked last, which is of this kind."""
        command = self.asked[-1]
        assert isinstance(command, kind), command
        return command

    @property
    def result(self) -> Any:
        """The result with which it completed just now."""
        return json.loads(bytes(self.last(c.CompleteExecution).result))

    @property
    def failure(self) -> Failure:
        """The failure with which it failed just now."""
        return self.last(c.FailExecution).failure

    # -- replaying -----------------------------------------------------------------------------

    def replayed(
        self, other: Program | Callable[[], Coroutine[Any, Any, Any]] | None = None
    ) -> Machine:
        """A new machine after a replay of the record, by another program where one is given."""
        machine = self.new_machine(other)
        for body in self.record:
            machine.replay(decode_batch(body))
        return machine

    def deploy(self, other: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Go on with other code: its machine replays the record."""
        self.machine.close()
        self._program = Function(other)
        self.machine = self.replayed()

    def batches(self) -> list[Batch]:
        """The record."""
        return [decode_batch(body) for body in self.record]

    def new_machine(
        self, other: Program | Callable[[], Coroutine[Any, Any, Any]] | None = None
    ) -> Machine:
        """A machine that has not started, for another program where one is given."""
        chosen = self._program
        if other is not None:
            chosen = other if hasattr(other, "begin") else Function(other)
        return Machine(chosen, self._inputs, cleanup_ms=CLEANUP_MS)

    def _compare_with_replay(self) -> None:
        machine = self.replayed()
        assert state_of(machine) == state_of(self.machine)
        machine.close()


def state_of(machine: Machine) -> dict[str, Any]:
    """What two machines that are at the same place have in common."""
    return {
        "open": {
            position: msgspec.json.encode(entry.command) for position, entry in machine.open.items()
        },
        "time": machine.time,
        "ended": machine.ended,
        "cancel_requested": machine.cancel_requested,
        "randomness": vars_of(machine.randomness),
    }


def vars_of(slotted: object) -> dict[str, Any]:
    """The fields of an object with slots."""
    return {name: getattr(slotted, name) for name in type(slotted).__slots__}  # type: ignore[attr-defined]
