"""Starts, watches, replaces and quarantines workers (promises 7 and 8 of the design).

- There are as many workers that answer as the limits say; one that dies or hangs is replaced. One
  that asks to be replaced is drained once another serves in its place.
- A reload tries the code as it is now with one worker, and has a new generation of them serve if
  that worker has loaded what is served (`generations`).
- A worker that hangs gets nothing new, what it owns moves to another, and it is killed in the end:
  see `liveness`.
- An execution whose code was on the CPU when its worker died is a suspect (`suspects`), and goes on
  alone in a quarantine worker until something new of it is recorded, or it is failed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from perdure.engine.generations import Generations, Pin
from perdure.engine.handle import Handle, Spawner
from perdure.engine.liveness import TICK_S, Liveness
from perdure.engine.ownership import Ownership
from perdure.engine.state import Owned, State
from perdure.engine.suspects import DEATHS, Suspects
from perdure.engine.trials import Reloaded, Trials
from perdure.link import messages as m
from perdure.model import failure as failures
from perdure.model.position import instance
from perdure.ports.journal import Nothing, Outcome
from perdure.ports.runtime import RefusedError

log = logging.getLogger(__name__)

QUARANTINES = 4
QUARANTINE_IDLE_S = 5.0
_BACKOFF_S = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


class Workers:
    """The workers of this server."""

    def __init__(self, state: State, ownership: Ownership, spawner: Spawner) -> None:
        self._state = state
        self._ownership = ownership
        self._spawner = spawner
        self._handles: dict[int, Handle] = {}
        self._number = 0
        self._generations = Generations()
        self._trials = Trials(state, self._generations)
        self._quick_deaths = 0
        self._suspects = Suspects()
        self.liveness = Liveness(state, ownership, self._suspects)
        self.liveness.on_stalled = self._refill
        self._closed = asyncio.Event()
        self.first_serving = asyncio.Event()
        """Set once a worker takes executions."""
        self.on_ready: Callable[[], None] = lambda: None
        """Called when a worker can take executions."""
        self.on_crash_loop: Callable[[str, failures.Failure], Awaitable[None]]
        """Called with an execution that brought its worker down too often, to end it."""
        self.on_validated: Callable[[Handle, m.Validated], None]
        """Called with what a worker says of a document."""
        self.on_gone: Callable[[Handle], None]
        """Called with a worker that is gone."""

    def now_s(self) -> float:
        """The monotonic clock."""
        return self._state.clock.monotonic()

    @property
    def serving(self) -> int:
        """How many workers take executions."""
        return len(self.serving_now())

    def serving_now(self) -> list[Handle]:
        """The workers that take executions."""
        current = self._generations.current
        return [
            handle
            for handle in self._handles.values()
            if handle.usable and handle.suspect is None and handle.generation == current
        ]

    async def reload(self) -> Reloaded:
        """Try the code as it is now, and have it serve if it loads. One at a time; where it is
        cancelled, the trial is given up.
        """
        return await self._trials.run(self._add(None, self._generations.begin()))

    def require_first(self) -> None:
        """Raise RefusedError as long as it is not known what is served: nothing is unknown then."""
        if not self.first_serving.is_set():
            raise RefusedError("not_ready", "the workers are starting", retry_after_s=1)

    def start(self) -> None:
        """Start the workers, and watch them until the engine stops."""
        self._refill()
        self._state.in_background(self._watch())

    async def stop(self) -> None:
        """Have every worker end: attempts get the shutdown grace, then all are killed."""
        grace_ms = self._state.limits.shutdown_grace_ms
        launched = [handle for handle in self._handles.values() if handle.launched]
        for handle in launched:
            handle.channel.send(m.Stop(grace_ms))
        try:
            async with asyncio.timeout(grace_ms / 1000 + 1.0):
                while not all(handle.gone for handle in launched):
                    self._closed.clear()
                    await self._closed.wait()
        except TimeoutError:
            pass
        for handle in launched:
            handle.kill()
        for handle in launched:
            handle.process.bury()

    # -- choosing ------------------------------------------------------------------------------

    def choose(self, execution_id: str, pin: Pin | None = None) -> Handle | None:
        """The worker for an execution, None where there is none now (`on_ready` tells)."""
        if self._suspects.is_condemned(execution_id):
            return None
        if execution_id in self._suspects:
            return self._quarantine(execution_id)
        return self._generations.choose(self._handles.values(), pin)

    def serves(self, pin: Pin) -> bool:
        """Whether some worker serves this very code, of whatever generation."""
        key = (pin.workflow_id, pin.version)
        return any(h.usable and h.served.get(key) == pin.digest for h in self._handles.values())

    def _quarantine(self, execution_id: str) -> Handle | None:
        quarantines = [h for h in self._handles.values() if h.suspect is not None]
        for handle in quarantines:
            if handle.suspect == execution_id and not handle.draining:
                return handle if handle.usable else None
        if len(quarantines) < QUARANTINES:
            self._add(execution_id, self._generations.current)
        return None

    # -- what workers say ----------------------------------------------------------------------

    def received(self, handle: Handle, messages: Sequence[m.ToEngine]) -> None:
        """Hand each message to whom it concerns."""
        ownership = self._ownership
        for message in messages:
            match message:
                case m.Append():
                    ownership.append(handle, message)
                case m.Released():
                    ownership.released(handle, message)
                case m.Outcomes():
                    ownership.returns.take(handle, message)
                case m.Held():
                    ownership.held(handle, message)
                case _:
                    self._heard(handle, message)

    def _heard(self, handle: Handle, message: m.ToEngine) -> None:
        """A message that is of no execution."""
        match message:
            case m.LogLines():
                self._lines(message)
            case m.Pong():
                self._answered(handle)
            case m.Serving():
                self._serves(handle, message)
            case m.Validated():
                self.on_validated(handle, message)
            case m.Draining():
                self._replace(handle, message.detail)
            case m.Idle():
                if handle.draining:
                    handle.kill()

    def _lines(self, lines: m.LogLines) -> None:
        for execution_id in {record.execution_id for record in lines.records}:
            self._state.unfollow(execution_id)
        self._state.lines.write_early(lines.records)

    def _serves(self, handle: Handle, serving: m.Serving) -> None:
        handle.serving = True
        handle.served = {(x.workflow_id, x.version): x.digest for x in serving.workflows}
        if self._trials.concern(handle):
            if not self._trials.judge(handle, serving):
                return
            self._refill()
        elif handle.suspect is None and handle.generation == self._generations.current:
            self._quick_deaths = 0
            # Of several, one that was started in the middle of an edit does not decide.
            catalog = self._state.catalog
            worse = catalog.new_problems(serving.workflows, serving.problems)
            if not worse or self.serving == 1:
                catalog.replace(handle.number, serving.workflows, serving.problems)
        self._retire_surplus()
        self.first_serving.set()
        self.on_ready()

    def _answered(self, handle: Handle) -> None:
        if self.liveness.answered(handle):
            self.on_ready()

    def _replace(self, handle: Handle, why: str) -> None:
        """Have another take its place; until that serves, it goes on."""
        if not handle.leaving:
            handle.leaving = True
            log.warning("worker %d is being replaced: %s", handle.number, why)
            self._refill()

    def _drain(self, handle: Handle) -> None:
        """Have it give back what it owns, and end once its attempts have."""
        handle.draining = True
        handle.channel.send(m.Drain())

    # -- watching ------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_s = self.now_s()
            for handle in tuple(self._handles.values()):
                self._check_quarantine(handle, now_s)
                self.liveness.check(handle, now_s)
            self._retire_surplus()

    def _check_quarantine(self, handle: Handle, now_s: float) -> None:
        """A quarantine ends with the suspicion, and is not kept for one that only waits."""
        if handle.suspect is None or not handle.launched or handle.killed:
            return
        if handle.suspect not in self._suspects:
            handle.suspect = None
            self.on_ready()
        elif handle.owned or not handle.usable:
            handle.unused_s = None
        elif handle.unused_s is None:
            handle.unused_s = now_s
        elif now_s - handle.unused_s > QUARANTINE_IDLE_S:
            self._drain(handle)

    def _retire_surplus(self) -> None:
        """Drain workers that are not needed."""
        wanted = self._state.limits.workers
        handles = self._handles.values()
        for handle in self._generations.superfluous(handles, wanted, self._is_busy):
            self._drain(handle)

    def _is_busy(self, handle: Handle) -> bool:
        elsewhere = self._state.elsewhere.values()
        return bool(handle.owned) or any(handle in attempts.values() for attempts in elsewhere)

    # -- deaths --------------------------------------------------------------------------------

    def closed(self, handle: Handle, reason: str) -> None:
        """A worker is gone: give what it owned to others, and replace it."""
        if handle.gone:
            return
        handle.gone = True
        del self._handles[handle.number]
        self._closed.set()
        how = "" if handle.killed else handle.process.death()
        handle.kill()
        handle.process.bury()
        self._trials.died(handle, how or reason)
        self.on_gone(handle)
        if self._state.stopping:
            return
        if not handle.draining:
            log.error("worker %d %s", handle.number, how or f"is gone ({reason})")
            self._suspect(handle)
            if handle.generation == self._generations.current:
                self._quick_deaths += not handle.serving
        for owned in tuple(handle.owned.values()):
            self._take_over(owned, f"its worker {how or 'died'}" if not handle.draining else "")
        for execution_id, attempts in tuple(self._state.elsewhere.items()):
            lost = [key for key, where in attempts.items() if where is handle]
            for key in lost:
                del attempts[key]
            if not attempts:
                del self._state.elsewhere[execution_id]
            if lost:
                self._lose(execution_id, lost)
        self._refill()
        self.on_ready()

    def _lose(self, execution_id: str, lost: Sequence[tuple[str, int]]) -> None:
        """Attempts went down with a worker that did not own their execution.

        Who owns it begins them again, unless they are suspected of it: then a quarantine does.
        """
        state = self._state
        owned = state.owned.get(execution_id)
        timed_out = state.timed_out.get(execution_id, ())
        over = execution_id in state.cancels or all(key in timed_out for key in lost)
        if owned is not None and execution_id in self._suspects and not over:
            self._ownership.halt(owned)
        else:
            self._ownership.lose_attempts(execution_id, lost)

    def _take_over(self, owned: Owned, why: str) -> None:
        owned.halted = True
        if why and not self._suspects.is_condemned(owned.execution_id):
            self._state.tell(owned.execution_id, f"{why}: going on in another", "WARNING")

        def settled(outcome: Outcome) -> None:
            self._ownership.disown(owned)
            self._ownership.on_ready(owned.execution_id)

        self._state.changes.submit(Nothing(), settled)

    def _suspect(self, handle: Handle) -> None:
        """Who had code on the CPU of a worker that died? Alone, it is its fault."""
        marked = {mark.execution_id: mark.position for mark in handle.process.marks()}
        if handle.suspect is not None:
            # What a quarantine dies of before it is given its suspect is not the suspect's fault.
            there = handle.suspect in marked or self._is_in(handle.suspect, handle)
            marked = {handle.suspect: marked.get(handle.suspect, "")} if there else {}
        for execution_id, position in marked.items():
            if self._suspects.is_condemned(execution_id):
                continue
            owned = handle.owned.get(execution_id) or self._state.owned.get(execution_id)
            next_seq = owned.next_seq if owned is not None else 0
            if self._suspects.died(execution_id, next_seq, counts=len(marked) == 1):
                self._state.in_background(self._give_up(execution_id, position))
        if not marked:
            for owned in handle.owned.values():
                if owned.working:
                    self._suspects.doubt(owned.execution_id, owned.next_seq)

    def _is_in(self, execution_id: str, handle: Handle) -> bool:
        """Whether a worker owns an execution, or has attempts of it."""
        elsewhere = self._state.elsewhere.get(execution_id, {})
        return execution_id in handle.owned or handle in elsewhere.values()

    async def _give_up(self, execution_id: str, position: str) -> None:
        failure = failures.crash_loop(
            f"its worker died {DEATHS} times while {position or 'it'} ran, with nothing newly "
            "recorded in between"
        )
        await self.on_crash_loop(execution_id, failure.at(instance(position)))
        self._suspects.forget(execution_id)
        self._ownership.on_ready(execution_id)

    def progressed(self, owned: Owned) -> None:
        """Something new of an execution is recorded: it is no suspect any more."""
        self._state.timed_out.pop(owned.execution_id, None)
        cleared = self._suspects.progressed(owned.execution_id, owned.next_seq)
        if cleared and isinstance(owned.worker, Handle):
            owned.worker.suspect = None
            self.on_ready()

    def ended(self, execution_id: str) -> None:
        """An execution has ended without its program."""
        self._state.timed_out.pop(execution_id, None)
        self._suspects.forget(execution_id)

    # -- starting ------------------------------------------------------------------------------

    def _refill(self) -> None:
        current = self._generations.current
        there = sum(
            h.generation == current
            and h.suspect is None
            and not (h.draining or h.stalled or h.leaving)
            for h in self._handles.values()
        )
        for _ in range(self._state.limits.workers - there):
            self._add(None, current)

    def _add(self, suspect: str | None, generation: int) -> Handle:
        self._number += 1
        handle = Handle(self, self._number, generation, suspect, self.now_s())
        self._handles[self._number] = handle
        self._state.in_background(self._launch(handle))
        return handle

    async def _launch(self, handle: Handle) -> None:
        await asyncio.sleep(_BACKOFF_S[min(self._quick_deaths, len(_BACKOFF_S) - 1)])
        handle.started_s = self.now_s()
        try:
            handle.process = await self._spawner.spawn(handle.number, handle)
        except OSError as error:
            log.error("worker %d could not be started: %s", handle.number, error)
            del self._handles[handle.number]
            self._trials.died(handle, str(error))
            self._quick_deaths += 1
            self._refill()
            return
        limits = self._state.limits
        handle.channel.send(m.Configure(handle.number, limits.cancel_grace_ms, limits.cleanup_ms))
        if handle.draining:
            handle.kill()
        if handle.serving:
            self.on_ready()
