"""The worker's end of the link: hosts executions, and answers the engine.

Invariants:
- Everything happens on one loop, in the order of the messages; nothing here waits.
- An execution is hosted under one epoch at a time; messages of another epoch are dropped.
- Each execution that was loaded ends here in exactly one way: its end was committed, or it was
  released (`Released`), or held (`Held`). Before either of the latter two its unrecorded outcomes
  are handed back (`Outcomes`); its attempts go on, and are named.
- Waiting executions are dropped after IDLE_S, and beyond `cached` of them, the longest unused
  first: memory does not grow with the number of executions that wait.
On failure, whatever a program or a machine raises holds that execution, and no other.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from perdure.link import messages as m
from perdure.link.channel import Channel
from perdure.machine.batch import encode_event
from perdure.model import failure as failures
from perdure.model.exceptions import DisagreementError
from perdure.model.failure import Failure
from perdure.model.position import instance
from perdure.ports.clock import Clock
from perdure.ports.logs import NewLogRecord
from perdure.worker import story
from perdure.worker.attempts import Attempts
from perdure.worker.catalog import Loaded, NoEvaluator
from perdure.worker.definitions import Checking, Defined, NoValidator, compile_nothing
from perdure.worker.handed_back import HandedBack
from perdure.worker.hosted import Hosted
from perdure.worker.marks import pack
from perdure.worker.outcomes import Ended, Unrecorded
from perdure.worker.programs import Compile, Definition, Evaluator, Validator
from perdure.worker.stepping import Stepper

CACHED = 256
IDLE_S = 10.0
_SWEEP_S = 1.0

A = TypeVar("A")

log = logging.getLogger(__name__)


class Host:
    """Hosts executions for the engine at the other end of its channel."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        catalog: Loaded,
        clock: Clock,
        entropy: Callable[[], int],
        attempts: Attempts,
        stepper: Stepper,
        *,
        evaluator: Evaluator | None = None,
        compile_document: Compile = compile_nothing,
        validator: Validator | None = None,
        cached: int = CACHED,
    ) -> None:
        self._loop = loop
        self._catalog = catalog
        self._defined = Defined(compile_document)
        self._cached = cached
        self._channel: Channel[m.ToEngine] | None = None
        self._early: list[m.ToWorker] = []
        """What came before there was a channel to answer on."""
        self._hosted: dict[str, Hosted] = {}
        self._waiting: OrderedDict[str, float] = OrderedDict()
        """When each execution that waits was last used, the longest unused first."""
        self._sweeping = False
        self._handed_back = HandedBack()
        self._draining = False
        self._wants_replacement = False
        self._idle_sent = False
        self._stopping = False
        self._stopped = False
        checking = Checking(validator or NoValidator(), self.send)
        self._handlers: dict[type, Callable[[Any], None]] = {
            m.Configure: self._configure,
            m.Load: self._load,
            m.Define: self._defined.define,
            m.Forget: self._defined.forget,
            m.Validate: checking.check,
            m.Deliver: self._deliver,
            m.Committed: self._committed,
            m.Refused: self._release_at,
            m.Halt: self._release_at,
            m.AttemptsLost: self._attempts_lost,
            m.StopAttempts: self._stop_attempts,
            m.Ping: self._ping,
            m.Drain: self._drain,
            m.Stop: self._stop,
        }
        self.clock = clock
        self.entropy = entropy
        self.attempts = attempts
        self.stepper = stepper
        self.evaluator: Evaluator = evaluator or NoEvaluator(loop)
        self.cleanup_ms = 300_000
        self.on_stopped: Callable[[], None] = lambda: None
        """Called once all is done that `Stop` leaves to be done."""
        self.on_closed: Callable[[str], None] = lambda reason: None
        """Called when the engine is gone."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called when there is no memory left: what is known here is not to be trusted."""
        attempts.ended = self._attempts_ended
        attempts.on_quiet = self._attempts_quiet
        attempts.on_abandoned = self._attempt_abandoned

    # -- the channel ---------------------------------------------------------------------------

    def connect(self, channel: Channel[m.ToEngine]) -> None:
        """Say what is served; from now on messages are answered on `channel`."""
        self._channel = channel
        self.send(m.Serving(self._catalog.served, self._catalog.problems))
        early, self._early = self._early, []
        self.received(early)

    def send(self, message: m.ToEngine) -> None:
        """Send a message to the engine."""
        assert self._channel is not None
        self._channel.send(message)

    def send_lines(self, records: Sequence[NewLogRecord]) -> None:
        """Send lines of attempts that run, or whose outcomes nobody awaits."""
        if records:
            self.send(m.LogLines(records))

    def received(self, messages: Sequence[m.ToWorker]) -> None:
        """Messages came, in the order in which they were sent."""
        if self._channel is None:
            self._early += messages
            return
        handlers = self._handlers
        for message in messages:
            handlers[type(message)](message)

    def closed(self, reason: str) -> None:
        """The engine is gone."""
        self.on_closed(reason)

    # -- executions ----------------------------------------------------------------------------

    def _load(self, load: m.Load) -> None:
        known = self._hosted.get(load.execution_id)
        if known is not None:
            if known.epoch >= load.epoch:
                return
            self._discard(known)
        generation = load.next_seq - len(load.batches)
        self.attempts.end_others(load.execution_id, generation)
        handed_back = self._handed_back.take(load.execution_id, generation)
        if handed_back:
            elsewhere = [*load.elsewhere, *handed_back]
            load = msgspec.structs.replace(load, elsewhere=elsewhere)
        if self._draining or self._stopping:
            running = self.attempts.of(load.execution_id)
            self.send(
                m.Released(load.execution_id, load.epoch, load.inbox_seen, running, again=True)
            )
            return
        try:
            entry = self._entry(load)
        except MemoryError:
            self.on_exhausted()
            raise
        except Exception as error:
            log.exception("the definition of %s cannot be compiled", load.execution_id)
            title = f"The definition cannot be compiled: {type(error).__qualname__}"
            self._refuse(load, failures.runtime(str(error), title=title))
            return
        if entry is None:
            text = f"version {load.workflow_version!r} of workflow {load.workflow_id!r}"
            failure = failures.unserved(f"{text} is not served: serve it and resume the execution")
            self._refuse(load, failure)
            return
        hosted = Hosted(self, load, *entry)
        self._hosted[load.execution_id] = hosted
        self.into(hosted, hosted.load, load)

    def _refuse(self, load: m.Load, failure: Failure) -> None:
        """Hold an execution that cannot be hosted."""
        running = self.attempts.of(load.execution_id)
        self.send(m.Held(load.execution_id, load.epoch, failure, running))

    def _entry(self, load: m.Load) -> tuple[Definition, str] | None:
        """What an execution runs, and the digest of its source. Raises what compiling raises."""
        if not load.defined:
            return self._catalog.find(load.workflow_id, load.workflow_version)
        mark = pack(load.execution_id)
        return self.stepper.step(mark, None, self._defined.find, load.defined), load.defined

    def into(self, hosted: Hosted, call: Callable[[A], None], argument: A) -> None:
        """``call(argument)``, a method of `hosted`; an exception out of it holds the execution."""
        try:
            call(argument)
        except DisagreementError as error:
            where = instance(error.position)
            self._hold(hosted, failures.disagreement(error.detail, where))
        except MemoryError:
            self.on_exhausted()
            raise
        except BaseException as error:
            log.exception("%s cannot go on", hosted.execution_id)
            title = f"The program cannot go on: {type(error).__qualname__}"
            self._hold(hosted, failures.runtime(str(error), title=title))
        else:
            self._settle(hosted)

    def _deliver(self, message: m.Deliver) -> None:
        hosted = self._hosted.get(message.execution_id)
        if hosted is not None and hosted.epoch == message.epoch:
            self.into(hosted, hosted.delivered, message.inbox)

    def _committed(self, message: m.Committed) -> None:
        hosted = self._hosted.get(message.execution_id)
        if hosted is not None and hosted.epoch == message.epoch:
            self.into(hosted, hosted.committed, message.seq)

    def _attempts_lost(self, message: m.AttemptsLost) -> None:
        hosted = self._hosted.get(message.execution_id)
        if hosted is not None and hosted.epoch == message.epoch:
            self.into(hosted, hosted.lost, message)

    def _release_at(self, message: m.Refused | m.Halt) -> None:
        hosted = self._hosted.get(message.execution_id)
        if hosted is not None and hosted.epoch == message.epoch:
            self._release(hosted)

    def _release(self, hosted: Hosted, *, again: bool = False) -> None:
        inbox_seen = hosted.inbox_seen
        self._discard(hosted)
        running = self.attempts.of(hosted.execution_id)
        self.send(m.Released(hosted.execution_id, hosted.epoch, inbox_seen, running, again))
        self._check_stopped()

    def _hold(self, hosted: Hosted, failure: Failure) -> None:
        self._discard(hosted)
        running = self.attempts.of(hosted.execution_id)
        self.send(m.Held(hosted.execution_id, hosted.epoch, failure, running))
        self._check_stopped()

    def _discard(self, hosted: Hosted) -> None:
        self._forget(hosted)
        self._hand_back(hosted.execution_id, hosted.discard(), hosted.epoch)

    def _forget(self, hosted: Hosted) -> None:
        self._hosted.pop(hosted.execution_id, None)
        self._waiting.pop(hosted.execution_id, None)

    # -- waiting executions --------------------------------------------------------------------

    def _settle(self, hosted: Hosted) -> None:
        """See what is to be kept of an execution after something was done for it."""
        if hosted.ended:
            self._forget(hosted)
        elif not hosted.waits:
            self._waiting.pop(hosted.execution_id, None)
        elif hosted.has_unsent_reads:
            self._release(hosted)
        else:
            self._waiting[hosted.execution_id] = self._loop.time()
            self._waiting.move_to_end(hosted.execution_id)
            if len(self._waiting) > self._cached:
                self._release(self._hosted[next(iter(self._waiting))])
            if not self._sweeping:
                self._sweeping = True
                self._loop.call_later(_SWEEP_S, self._sweep)
        self._check_stopped()

    def _sweep(self) -> None:
        oldest = self._loop.time() - IDLE_S
        while self._waiting:
            execution_id, since = next(iter(self._waiting.items()))
            if since > oldest:
                self._loop.call_later(_SWEEP_S, self._sweep)
                return
            self._release(self._hosted[execution_id])
        self._sweeping = False

    # -- attempts ------------------------------------------------------------------------------

    def _attempts_ended(self, news: Sequence[Ended]) -> None:
        for ended in news:
            hosted = self._hosted.get(ended.execution_id)
            if ended.disowned or (hosted is not None and ended.generation != hosted.generation):
                self.send_lines(ended.lines)
            elif hosted is not None:
                self.into(hosted, hosted.outcome, ended)
            elif ended.event is None:
                self.send_lines(ended.lines)
            else:
                self._hand_back(ended.execution_id, [(ended, None)])

    def _attempts_quiet(self) -> None:
        self._check_idle()
        self._check_stopped()

    def _hand_back(self, execution_id: str, outcomes: Sequence[Unrecorded], epoch: int = 0) -> None:
        for generation in sorted({ended.generation for ended, _ in outcomes}):
            of_it = [x for x in outcomes if x[0].generation == generation]
            attempts = [m.RunningAttempt(x.position, x.attempt) for x, _ in of_it]
            self._handed_back.note(execution_id, generation, attempts)
            handed_back = [self._told(*x) for x in of_it]
            self.send(m.Outcomes(execution_id, epoch, generation, handed_back))

    def _told(self, ended: Ended, seq: int | None) -> m.Unrecorded:
        """An outcome with its lines, and with what went wrong."""
        assert ended.event is not None
        now_ms = self.clock.now_ms()
        line = story.of_attempt(ended.execution_id, now_ms, ended.event, ended.name, ended)
        logs = ended.lines if line is None else [*ended.lines, line]
        return m.Unrecorded(encode_event(ended.event), logs, seq)

    def _attempt_abandoned(self, detail: str) -> None:
        if not self._wants_replacement:
            self._wants_replacement = True
            self.send(m.Draining(detail))

    def _stop_attempts(self, message: m.StopAttempts) -> None:
        for position in message.positions:
            self.attempts.cancel(self.attempts.at(message.execution_id, position))

    # -- the worker as a whole -----------------------------------------------------------------

    def _configure(self, message: m.Configure) -> None:
        self.attempts.grace_ms = message.cancel_grace_ms
        self.cleanup_ms = message.cleanup_ms

    def _ping(self, message: m.Ping) -> None:
        self.send(m.Pong(message.number))

    def _drain(self, message: m.Drain) -> None:
        self._draining = True
        for hosted in tuple(self._hosted.values()):
            self._release(hosted, again=not hosted.waits)
        self._check_idle()

    def _check_idle(self) -> None:
        if self._draining and not self._idle_sent and self.attempts.quiet:
            self._idle_sent = True
            self.send(m.Idle())

    def _stop(self, message: m.Stop) -> None:
        """No attempt begins any more; those that run have until then, and are recorded."""
        if not self._stopping:
            self._stopping = True
            self.attempts.closed = True
            self._loop.call_later(message.within_ms / 1000, self._finish)
            self._check_stopped()

    def _check_stopped(self) -> None:
        if (
            self._stopping
            and self.attempts.quiet
            and not any(hosted.has_unrecorded for hosted in self._hosted.values())
        ):
            self._finish()

    def _finish(self) -> None:
        if not self._stopped:
            self._stopped = True
            assert self._channel is not None
            self._channel.close()
            self.on_stopped()
