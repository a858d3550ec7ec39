"""The machine: steps the branches of one program, in a deterministic order.

Invariants:
- Branches become ready in the order of what made them ready, and run in that order until each
  waits; only then does a step return.
- Every command that can be answered is in `open` from the step that asked for it to the event
  that answers it or the command that withdraws it.
- An event that answers nothing open is ignored (`deliver` returns None): it makes no batch.
"""

from collections import deque
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import Batch
from perdure.machine.branch import Branch, Join, Perform
from perdure.machine.comparison import compare, described
from perdure.machine.randomness import Randomness
from perdure.machine.uncaught import failure_of, foreign
from perdure.model import failure as failures
from perdure.model.exceptions import (
    Cancelled,
    Continued,
    DisagreementError,
    UsageError,
)
from perdure.model.failure import Failure

TIMEOUT_POSITION = "/~timeout"
CLEANUP_POSITION = "/~cleanup"

_current: ContextVar["Machine | None"] = ContextVar("perdure_machine", default=None)


def current() -> "Machine | None":
    """The machine that is stepping in this context: None outside of workflow code."""
    return _current.get()


class Program(Protocol):
    """A loaded definition: makes the coroutine that a machine steps."""

    def begin(self, inputs: bytes) -> Coroutine[Any, Any, bytes]:
        """The main branch for these inputs (JSON); its result is JSON."""
        ...


class Open(msgspec.Struct, frozen=True):
    """A command that is neither answered nor withdrawn, and who waits for it."""

    command: c.AnyCommand
    subject: object
    branch: Branch | None


class Machine:
    """One execution's program, from its start to its end."""

    def __init__(
        self,
        program: Program,
        inputs: bytes,
        *,
        execution_id: str = "",
        cleanup_ms: int = 300_000,
    ) -> None:
        self.execution_id = execution_id
        """Whose machine it is, for programs that name their execution."""
        self._program = program
        self._inputs = inputs
        self._cleanup_ms = cleanup_ms
        self._ready: deque[tuple[Branch, Any, BaseException | None]] = deque()
        self._commands: list[c.AnyCommand] = []
        self._root: Branch | None = None
        self._waits: dict[str, deque[str]] = {}
        self._events: dict[str, deque[e.EventReceived | c.Carried]] = {}
        self._deadlines: dict[str, tuple[Branch, BaseException]] = {}
        self._patches: dict[str, bool] = {}
        self._recorded_patches: frozenset[str] = frozenset()
        self._randomness: Randomness | None = None
        self._timed_out: Failure | None = None
        self._cut = False
        self._disagreement: DisagreementError | None = None
        self._live: dict[Branch, None] = {}
        self.open: dict[str, Open] = {}
        self.time = 0
        """The time of the last event."""
        self.replaying = False
        self.cancel_requested = False
        self.ended = False
        """Whether the program has ended, or this generation of it."""
        self.branch: Branch | None = None
        """The branch that is being stepped."""

    # -- driving ---------------------------------------------------------------------------

    def start(self, event: e.ExecutionStarted) -> list[c.AnyCommand]:
        """Begin the program; returns what it asks for first."""
        self.time = event.time
        self._randomness = Randomness(event.seed)
        for carried in event.carried:
            self._events.setdefault(carried.name, deque()).append(carried)
        if event.timeout_ms is not None:
            self._deadline(TIMEOUT_POSITION, event.time + event.timeout_ms)
        self._root = self.spawn("", self._program.begin(self._inputs))
        return self._step()

    def deliver(self, event: e.AnyEvent) -> list[c.AnyCommand] | None:
        """Go on with an event; returns what the program asks for, None where it is ignored."""
        if isinstance(event, e.ExecutionStarted):
            return self.start(event)
        if self.ended:
            return None
        if isinstance(event, e.EventReceived):
            self._receive(event)
        elif isinstance(event, e.CancelRequested):
            if self.cancel_requested:
                return None
            self.cancel_requested = True
        elif not self._answers(event):
            return None
        self.time = event.time
        if isinstance(event, e.CancelRequested):
            self._cancel_root()
        elif not isinstance(event, e.EventReceived):
            self._answer(event)
        return self._step()

    def replay(self, batch: Batch) -> None:
        """Go on with a recorded batch, and compare (docs/journal.md, section 5).

        Raises DisagreementError where the program asks for something else than the record has.
        """
        self.replaying = True
        self._recorded_patches = frozenset(
            command.name for command in batch.commands if isinstance(command, c.RecordPatch)
        )
        try:
            asked = self.deliver(batch.event)
        finally:
            self.replaying = False
            self._recorded_patches = frozenset()
        if asked is None:
            raise DisagreementError(
                f"the record has {described(batch.event)}, which the code does not await",
                batch.event.position,
            )
        compare(batch.commands, asked)
        for recorded in batch.commands:
            self._take_recorded(recorded)

    def close(self) -> None:
        """Drop the program where it stands, without its cleanup: it will be replayed elsewhere."""
        self.ended = True
        token = _current.set(self)
        try:
            self._drop()
        finally:
            self.branch = None
            _current.reset(token)

    # -- what programs ask (see `program`) ---------------------------------------------------

    @property
    def randomness(self) -> Randomness:
        """The execution's random numbers."""
        assert self._randomness is not None
        return self._randomness

    def next_position(self, name: str) -> str:
        """The position of the next thing called `name` in the current branch."""
        assert self.branch is not None
        return self.branch.next_position(name)

    def next_internal_position(self, word: str) -> str:
        """The position of the next thing of perdure's own in the current branch."""
        assert self.branch is not None
        return self.branch.next_internal_position(word)

    def patched(self, name: str) -> bool:
        """Whether this execution runs the code after the patch `name`."""
        answer = self._patches.get(name)
        if answer is None:
            answer = name in self._recorded_patches if self.replaying else True
            self._patches[name] = answer
            if answer:
                self._commands.append(c.RecordPatch(position=f"/~patch:{name}", name=name))
        return answer

    def spawn(self, prefix: str, coroutine: Coroutine[Any, Any, Any]) -> Branch:
        """Begin another branch, whose positions lie below `prefix`. It must be joined."""
        branch = Branch(prefix, coroutine)
        self._live[branch] = None
        self._ready.append((branch, None, None))
        return branch

    def cancel(self, branch: Branch) -> None:
        """Cancel a branch: `Cancelled` is raised where it waits."""
        if not branch.done and not branch.cancelled:
            branch.cancelled = True
            self._interrupt(branch, Cancelled())

    def disagree(self, detail: str, position: str) -> NoReturn:
        """Raise DisagreementError, from the step too: what the program makes of it is void."""
        self._disagreement = DisagreementError(detail, position)
        raise self._disagreement

    def set_deadline(self, position: str, due_ms: int, error: BaseException) -> None:
        """Raise `error` where the current branch waits, unless cleared before `due_ms`."""
        assert self.branch is not None
        self._deadlines[position] = (self.branch, error)
        self._deadline(position, due_ms)

    def clear_deadline(self, position: str) -> None:
        """Take back a deadline, if it has not passed."""
        if self._deadlines.pop(position, None) and self.open.pop(position, None):
            self._commands.append(c.CancelTimer(position=position))

    # -- stepping ------------------------------------------------------------------------------

    def _step(self) -> list[c.AnyCommand]:
        token = _current.set(self)
        try:
            while self._ready and not self._cut:
                self._resume(*self._ready.popleft())
                if self._disagreement is not None:
                    raise self._disagreement
            root = self._root
            assert root is not None
            if self._cut or root.done:
                self._end(root)
            elif self.cancel_requested or self._timed_out:
                self._limit_cleanup()
        finally:
            self.branch = None
            _current.reset(token)
        asked, self._commands = self._commands, []
        return asked

    def _resume(self, branch: Branch, value: Any, error: BaseException | None) -> None:
        self.branch = branch
        if branch.pending_throw is not None:
            error, branch.pending_throw = branch.pending_throw, None
        while True:
            try:
                request = branch.send(value) if error is None else branch.throw(error)
            except StopIteration as stop:
                self._finish(branch, stop.value, None)
                return
            except BaseException as raised:  # of whatever kind: a program cannot end its host
                self._finish(branch, None, raised)
                return
            if type(request) is Perform:
                if self._ask(branch, request):
                    return
                value, error = self._taken, None
            elif type(request) is Join:
                if not request.satisfied:
                    request.waiter = branch
                    branch.waiting = request
                    return
                value, error = None, None
            else:
                value, error = None, UsageError(foreign(request))

    def _ask(self, branch: Branch, request: Perform) -> bool:
        """Ask for a command; False where it is answered already, by `_taken`."""
        command = request.command
        self._commands.append(command)
        if type(command) is c.WaitForEvent:
            received = self._events.get(command.name)
            if received:
                self._taken = received.popleft()
                return False
            self._waits.setdefault(command.name, deque()).append(command.position)
        self.open[command.position] = Open(command, request.subject, branch)
        branch.waiting = request
        return True

    _taken: Any = None

    def _finish(self, branch: Branch, result: Any, error: BaseException | None) -> None:
        del self._live[branch]
        branch.done = True
        branch.result = result
        branch.error = error
        join = branch.join
        if join is not None:
            join.branch_done(branch)
            if join.waiter is not None and join.satisfied:
                waiter, join.waiter = join.waiter, None
                self._wake(waiter, None)

    def _wake(self, branch: Branch, value: Any, error: BaseException | None = None) -> None:
        """Let a branch go on, once: from now on it waits for nothing."""
        branch.waiting = None
        self._ready.append((branch, value, error))

    def _interrupt(self, branch: Branch, error: BaseException) -> None:
        """Raise `error` in a branch: at once where it can be, else once its command is answered."""
        if isinstance(branch.pending_throw, Cancelled):
            return
        waiting = branch.waiting
        if isinstance(waiting, Join):
            waiting.waiter = None
            self._wake(branch, None, error)
        elif waiting is None:
            branch.pending_throw = error
        else:
            command = waiting.command
            if isinstance(command, c.StartTimer | c.WaitForEvent):
                self._withdraw(command)
                self._wake(branch, None, error)
                return
            if branch.pending_throw is None:
                self._withdraw(command)
            branch.pending_throw = error

    def _withdraw(self, command: c.AnyCommand) -> None:
        position = command.position
        if isinstance(command, c.StartTimer):
            del self.open[position]
            self._commands.append(c.CancelTimer(position=position))
        elif isinstance(command, c.WaitForEvent):
            del self.open[position]
            self._waits[command.name].remove(position)
            self._commands.append(c.StopWaiting(position=position))
        elif isinstance(command, c.RunTask):
            self._commands.append(c.CancelTask(position=position))
        elif isinstance(command, c.StartChild) and command.wait:
            self._commands.append(c.CancelChild(position=position))

    # -- events ----------------------------------------------------------------------------------

    def _answers(self, event: e.AnyEvent) -> bool:
        entry = self.open.get(event.position)
        if entry is None:
            return False
        command = entry.command
        if isinstance(event, e.TASK_OUTCOMES):
            return isinstance(command, c.RunTask) and command.attempt == event.attempt
        if isinstance(event, e.TimerFired):
            return isinstance(command, c.StartTimer)
        if isinstance(event, e.CHILD_OUTCOMES):
            return isinstance(command, c.StartChild) and (
                isinstance(event, e.ChildFailed)
                or isinstance(event, e.ChildStarted) is not command.wait
            )
        return isinstance(command, c.Evaluate)

    def _answer(self, event: e.AnyEvent) -> None:
        entry = self.open.pop(event.position)
        if entry.branch is not None:
            self._wake(entry.branch, event)
        elif event.position == TIMEOUT_POSITION:
            if not self.cancel_requested:
                self._timed_out = failures.timeout("the execution took longer than its timeout")
                self._cancel_root()
        elif event.position == CLEANUP_POSITION:
            self._cut = True
        else:
            self._pass(event.position)

    def _pass(self, position: str) -> None:
        """A deadline has passed: what it interrupts is told, and deadlines within it are off.

        Those of one branch that were set later are within it, since a branch clears what it sets.
        """
        order = list(self._deadlines)
        branch, error = self._deadlines[position]
        for later in order[order.index(position) + 1 :]:
            if self._deadlines[later][0] is branch:
                self.clear_deadline(later)
        del self._deadlines[position]
        self._interrupt(branch, error)

    def _receive(self, event: e.EventReceived) -> None:
        waits = self._waits.get(event.name)
        if waits:
            entry = self.open.pop(waits.popleft())
            assert entry.branch is not None
            self._wake(entry.branch, event)
        else:
            self._events.setdefault(event.name, deque()).append(event)

    def _take_recorded(self, recorded: c.AnyCommand) -> None:
        """What is recorded counts: arguments and moments of open commands come from the record."""
        entry = self.open.get(recorded.position)
        if entry is not None and type(entry.command) is type(recorded):
            self.open[recorded.position] = Open(recorded, entry.subject, entry.branch)

    # -- the end -------------------------------------------------------------------------------

    def _cancel_root(self) -> None:
        assert self._root is not None
        self.cancel(self._root)

    def _deadline(self, position: str, due_ms: int, purpose: c.Purpose = "timeout") -> None:
        timer = c.StartTimer(position=position, due_ms=due_ms, purpose=purpose)
        self._commands.append(timer)
        self.open[position] = Open(timer, None, None)

    def _limit_cleanup(self) -> None:
        if CLEANUP_POSITION not in self.open:
            self._deadline(CLEANUP_POSITION, self.time + self._cleanup_ms, "cleanup")

    def _end(self, root: Branch) -> None:
        """Withdraw what is still open, and ask for the end."""
        for entry in tuple(self.open.values()):
            if entry.branch is None or entry.branch.pending_throw is None:
                self._withdraw(entry.command)
        self.open.clear()
        self.ended = True
        self._commands.append(self._end_command(root))
        self._drop()

    def _end_command(self, root: Branch) -> c.AnyCommand:
        error = root.error
        if root.done and error is None:
            return c.CompleteExecution(result=msgspec.Raw(root.result))
        stopped = self.cancel_requested or self._timed_out is not None
        if isinstance(error, Continued) and not stopped:
            carried = tuple(
                c.Carried(name=name, data=event.data)
                for name, events in self._events.items()
                for event in events
            )
            return c.ContinueAsNew(input=msgspec.Raw(error.inputs), carried=carried)
        if error is None or isinstance(error, Cancelled | Continued):
            if self._timed_out is not None:
                return c.FailExecution(failure=self._timed_out)
            return c.CancelExecution()
        return c.FailExecution(failure=failure_of(error))

    def _drop(self) -> None:
        """Close the branches that are left, muted: what they do now counts for nothing."""
        asked, self._commands = self._commands, []
        standing, self.open = self.open, {}
        self.replaying = True
        while self._live:
            self.branch, _ = self._live.popitem()
            self.branch.close()
        self.replaying = False
        self._commands, self.open = asked, standing
