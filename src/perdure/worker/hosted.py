"""An execution that this worker owns: its machine, and what is under way for it.

Invariants:
- Events are delivered one by one, in the order in which they came, and each that the machine
  takes makes one batch, sent at once under the next sequence number; several may be in flight.
- Effects of a batch begin when it is committed, not before.
- A request to cancel is delivered before all else that waits; its row of the inbox counts as read
  in its turn, so it may be delivered again after a crash, which changes nothing.
- While an expression is being evaluated nothing else is delivered; a new generation begins only
  once the end of the old one is committed, and answers to the old one's commands are dropped.
- Times of events never decrease.
On failure (an exception out of any method but `discard`) the machine is in an unknown state: the
caller discards it and holds the execution. `discard` hands back every outcome of a task that is
not known to be recorded.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from perdure.link import messages as m
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import decode_batch, encode_batch
from perdure.machine.machine import Machine
from perdure.model.exceptions import DisagreementError
from perdure.model.failure import Failure
from perdure.ports.clock import Clock
from perdure.ports.journal import InboxEntry
from perdure.ports.logs import NewLogRecord
from perdure.worker import story
from perdure.worker.arrivals import Arrival, InFlight, decoded
from perdure.worker.attempts import Attempts
from perdure.worker.capture import StepLines
from perdure.worker.consequences import Consequences
from perdure.worker.effects import Effects
from perdure.worker.marks import pack
from perdure.worker.outcomes import Ended, Unrecorded
from perdure.worker.programs import Definition, Evaluator
from perdure.worker.stepping import Stepper

A = TypeVar("A")

_FROM_OUTSIDE = (e.EventReceived, e.CancelRequested)


class Services(Protocol):
    """What a hosted execution needs of its worker."""

    clock: Clock
    attempts: Attempts
    stepper: Stepper
    evaluator: Evaluator
    entropy: Callable[[], int]
    cleanup_ms: int

    def send(self, message: m.ToEngine) -> None:
        """Send a message to the engine."""
        ...

    def send_lines(self, records: Sequence[NewLogRecord]) -> None:
        """Send lines of attempts that run, or whose outcomes nobody awaits."""
        ...

    def into(self, hosted: "Hosted", call: Callable[[A], None], argument: A) -> None:
        """``call(argument)``, a method of `hosted`; an exception out of it holds the execution."""
        ...


class Hosted:
    """One execution, from `Load` until it has ended, is released, or is held."""

    def __init__(
        self, services: Services, load: m.Load, definition: Definition, digest: str
    ) -> None:
        self._services = services
        self._definition = definition
        self._digest = digest
        self._workflow_version = load.workflow_version
        self._timeout_ms = load.timeout_ms
        self._run = load.run
        self.execution_id = load.execution_id
        self.workflow_id = load.workflow_id
        self.epoch = load.epoch
        self.generation = load.next_seq - len(load.batches)
        """The sequence number of the generation's first batch."""
        self._next_seq = load.next_seq
        first = load.inbox[0].inbox_seq - 1 if load.inbox else 0
        self._received = max(load.inbox_seen, first)
        """Up to where the inbox has come here."""
        self._inbox_seen = self._received
        """Up to where it has been delivered."""
        self._inbox_sent = self._inbox_recorded = self._inbox_seen
        self._mark = pack(load.execution_id)
        self._known = deque(load.logged)
        self._started: int | None = None
        self._machine = self._new_machine(load.inputs)
        self._queue: deque[Arrival] = deque()
        self._in_flight: deque[InFlight] = deque()
        self._open_work = 0
        self._evaluations = 0
        self._evaluating: dict[str, Callable[[], None]] = {}
        """By position, what drops an evaluation."""
        self._between = False
        """Whether a generation has ended and the next has not begun."""
        self._draining = False
        self._effects = Effects(services.attempts, services.clock, load, self._answer)
        self.ended = False
        """Whether its end is committed."""

    @property
    def waits(self) -> bool:
        """Whether there is nothing to do for it in a worker."""
        return not (self._open_work or self._in_flight or self._queue or self._between)

    @property
    def has_unrecorded(self) -> bool:
        """Whether a batch of it is not known to be on disk."""
        return bool(self._in_flight)

    @property
    def inbox_seen(self) -> int:
        """Up to where rows of the inbox are done with: recorded, or of no use to the program."""
        return self._inbox_recorded if self._in_flight or self._queue else self._inbox_seen

    @property
    def has_unsent_reads(self) -> bool:
        """Whether rows of the inbox were read that no append has named."""
        return self._inbox_seen > self._inbox_sent

    # -- loading -------------------------------------------------------------------------------

    def load(self, load: m.Load) -> None:
        """Start, or replay what is recorded; then go on."""
        for entry in load.inbox:
            self._receive(entry)
        if load.batches:
            self._replay(load.batches)
        else:
            self._drop_answers()
            self._begin_generation(load.inputs, ())
        self._go_on()

    def _replay(self, batches: Sequence[bytes]) -> None:
        machine = self._machine
        withdrawn: list[str] = []
        for body in batches:
            batch = decode_batch(body)
            self._services.stepper.step(self._mark, None, machine.replay, batch)
            if self._started is None and self.generation == 0:
                self._started = batch.event.time
            withdrawn += [x.position for x in batch.commands if type(x) is c.CancelTask]
        self._open_work = self._effects.replayed(machine, withdrawn)
        for entry in tuple(machine.open.values()):
            if isinstance(entry.command, c.Evaluate):
                self._open_work += 1
                self._evaluations += 1
                self._evaluate(entry.command)

    def _begin_generation(self, inputs: bytes, carried: tuple[c.Carried, ...]) -> None:
        services = self._services
        continued = self._next_seq > 0
        now_ms = services.clock.now_ms()
        time = max(self._machine.time, now_ms)
        if continued:
            self._machine = self._new_machine(inputs)
        self.generation = self._next_seq
        event = e.ExecutionStarted(
            time=time,
            seed=services.entropy(),
            workflow_id=self.workflow_id,
            workflow_version=self._workflow_version,
            digest=self._digest,
            run=self._run,
            timeout_ms=self._timeout_ms,
            carried=carried,
        )
        if not continued:
            self._started = time
        lines = StepLines(self.execution_id, self._next_seq, now_ms, self._known)
        commands = services.stepper.step(self._mark, lines, self._machine.start, event)
        began = story.of_start(self.execution_id, now_ms, event, continued=continued)
        self._append(event, commands, [began, *lines.taken()], None)

    def _new_machine(self, inputs: bytes) -> Machine:
        cleanup_ms = self._services.cleanup_ms
        return Machine(
            self._definition, inputs, execution_id=self.execution_id, cleanup_ms=cleanup_ms
        )

    # -- what comes ----------------------------------------------------------------------------

    def delivered(self, inbox: Sequence[InboxEntry]) -> None:
        """New rows of the inbox came."""
        for entry in inbox:
            self._receive(entry)
        self._go_on()

    def outcome(self, ended: Ended) -> None:
        """An attempt here has ended."""
        if ended.disagreement is not None:
            self._services.send_lines(ended.lines)
            raise DisagreementError(ended.disagreement.detail, ended.position)
        self._queue.append(Arrival(ended.event, ended=ended))
        self._go_on()

    def committed(self, seq: int) -> None:
        """A batch is on disk: its effects begin."""
        if not self._in_flight or self._in_flight[0].seq != seq:
            return
        batch = self._in_flight.popleft()
        self._inbox_recorded = batch.inbox_seen
        if batch.ends or batch.continues is not None:
            self._services.attempts.cancel_execution(self.execution_id)
            self.ended = batch.ends
            if batch.continues is not None:
                self._next_generation(batch.continues)
            return
        for effect in batch.effects:
            if isinstance(effect, c.RunTask):
                self._effects.begin(self._machine, self.generation, effect)
            elif isinstance(effect, c.CancelTask):
                self._effects.cancel(self._machine, self.generation, effect.position)
            elif effect.position in self._machine.open:
                self._evaluate(effect)
        if self._queue:
            self._go_on()

    def lost(self, message: m.AttemptsLost) -> None:
        """Attempts that ran elsewhere are gone."""
        self._effects.lost(self._machine, self.generation, message.attempts, message.timed_out)
        self._go_on()

    def discard(self) -> list[Unrecorded]:
        """Drop the machine; the outcomes that are not known to be recorded."""
        outcomes: list[Unrecorded] = [(x.ended, x.seq) for x in self._in_flight if x.ended]
        outcomes += [(x.ended, None) for x in self._queue if x.ended]
        self._queue.clear()
        self._in_flight.clear()
        self._drop_evaluations()
        machine = self._machine
        self._services.stepper.step(self._mark, None, lambda _: machine.close(), None)
        return outcomes

    def _answer(self, event: e.AnyEvent) -> None:
        self._queue.append(Arrival(event))

    def _receive(self, entry: InboxEntry) -> None:
        if entry.inbox_seq > self._received:
            self._received = entry.inbox_seq
            event: e.AnyEvent | None = decoded(entry.event)
            if isinstance(event, e.CancelRequested):
                self._queue.appendleft(Arrival(event))
                event = None
            self._queue.append(Arrival(event, entry.inbox_seq))

    # -- delivering ----------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Deliver what has come, as far as that can be now."""
        if self._draining:
            return
        self._draining = True
        while self._queue and not self._evaluations and not self._between:
            arrival = self._queue[0]
            if arrival.inbox_seq:
                self._inbox_seen = arrival.inbox_seq
            if arrival.event is not None:
                self._deliver(arrival.event, arrival.ended, told=arrival.inbox_seq > 0)
            self._queue.popleft()
        self._draining = False
        if self._effects.unrecovered and not self._evaluations and not self._queue:
            self._effects.recover(self._machine, self.generation)
            self._go_on()

    def _deliver(self, event: e.AnyEvent, ended: Ended | None, *, told: bool = False) -> None:
        machine = self._machine
        if event.time < machine.time:
            event = msgspec.structs.replace(event, time=machine.time)
        entry = machine.open.get(event.position)
        now_ms = self._services.clock.now_ms()
        lines = StepLines(self.execution_id, self._next_seq, now_ms, self._known)
        commands = self._services.stepper.step(self._mark, lines, machine.deliver, event)
        before = ended.lines if ended is not None else []
        if commands is None:
            self._services.send_lines(before)
            return
        if isinstance(event, e.EFFECT_OUTCOMES):
            self._open_work -= 1
            self._effects.answered(event.position)
        logs = [*before, *lines.taken()] if lines.records else before
        if isinstance(event, e.TaskFailed | e.TaskCancelled):
            assert entry is not None
            assert isinstance(entry.command, c.RunTask)
            name = entry.command.name
            line = story.of_attempt(
                self.execution_id, now_ms, event, name, ended, commands, told=told
            )
            if line is not None:
                logs = [*before, line, *lines.taken()]
        self._append(event, commands, logs, ended)

    def _append(
        self,
        event: e.AnyEvent,
        commands: Sequence[c.AnyCommand],
        logs: list[NewLogRecord],
        ended: Ended | None,
    ) -> None:
        consequences = Consequences(commands)
        seq = self._next_seq
        self._next_seq = seq + 1
        self._open_work += consequences.opened
        self._evaluations += consequences.evaluations
        stop_elsewhere = self._effects.asked(consequences.effects) if consequences.effects else []
        if self._machine.ended:
            self._open_work = self._evaluations = 0
            self._drop_evaluations()
            self._between = consequences.continues is not None
        now_ms = self._services.clock.now_ms()
        if consequences.timers_set:
            logs = [*logs, *story.of_retries(self.execution_id, now_ms, event, commands)]
        if consequences.end is not None:
            took_ms = now_ms - self._started if self._started is not None else None
            end = story.of_end(self.execution_id, now_ms, event, commands[-1], took_ms)
            logs = [*logs, end]
        continues = consequences.continues
        self._services.send(
            m.Append(
                self.execution_id,
                self.epoch,
                seq,
                self._inbox_seen,
                self._received,
                encode_batch(event, commands),
                consequences.guarded,
                self._open_work > 0 or self._between,
                consequences.timers_set,
                consequences.timers_cleared,
                consequences.children,
                consequences.children_cancelled,
                bytes(continues.input) if continues is not None else None,
                consequences.end,
                logs,
                stop_elsewhere,
            )
        )
        self._in_flight.append(InFlight(seq, self._inbox_seen, consequences, ended))
        self._inbox_sent = self._inbox_seen

    # -- the next generation -------------------------------------------------------------------

    def _next_generation(self, last: c.ContinueAsNew) -> None:
        self._between = False
        self._effects.new_generation()
        self._drop_answers()
        self._begin_generation(bytes(last.input), last.carried)
        self._go_on()

    def _drop_answers(self) -> None:
        """What has come so far, and answers commands, answers those of the generation before."""
        for arrival in self._queue:
            if not isinstance(arrival.event, _FROM_OUTSIDE):
                arrival.event = None
                if arrival.ended is not None:
                    self._services.send_lines(arrival.ended.lines)
                    arrival.ended = None

    # -- evaluations ---------------------------------------------------------------------------

    def _evaluate(self, command: c.Evaluate) -> None:
        answer = partial(self._evaluated, self._machine, command.position)
        self._evaluating[command.position] = self._services.evaluator.evaluate(
            self.execution_id, command.expression, bytes(command.arguments), answer
        )

    def _drop_evaluations(self) -> None:
        for drop in self._evaluating.values():
            drop()
        self._evaluating.clear()

    def _evaluated(self, machine: Machine, position: str, result: bytes | Failure) -> None:
        self._evaluating.pop(position, None)
        if machine is self._machine and not machine.ended:
            now_ms = self._services.clock.now_ms()
            event: e.AnyEvent
            if isinstance(result, bytes):
                event = e.Evaluated(time=now_ms, position=position, output=msgspec.Raw(result))
            else:
                event = e.EvaluationFailed(time=now_ms, position=position, failure=result)
            self._services.into(self, self._take_value, event)

    def _take_value(self, event: e.AnyEvent) -> None:
        self._evaluations -= 1
        self._deliver(event, None)
        self._go_on()
