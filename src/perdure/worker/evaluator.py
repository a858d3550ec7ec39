"""The evaluator beside a worker: evaluates what is not proven to end soon, in processes.

Two processes, each started with the first question for it: one for what answers soon, one for
expressions that have once been slow or were killed, and for documents to be validated. So a
runaway expression costs others at most its own first time. In both, executions take turns.

Every limit that is passed is the failure of the expression that has passed it, told to `done`
once; it is recorded as its answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from perdure.model import failure as failures
from perdure.model.failure import Failure
from perdure.worker.evaluating import Answer, Evaluate, Value
from perdure.worker.evaluator_process import EvaluatorProcess
from perdure.worker.lanes import Lanes

WAITING = 1_000
"""How many evaluations of one execution may wait."""

_SLOW_S = 0.2
_SLOW_KEPT = 1_000
_SHOWN = 500


class _Asked(msgspec.Struct, eq=False):
    """A question and who waits for its answer; None once nobody does."""

    owner: str
    question: Evaluate
    done: Callable[[bytes | Failure], None] | None


class _Desk:
    """A process with what waits for it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inherited: tuple[int, ...],
        on_done: Callable[[_Asked, Answer, float], None],
    ) -> None:
        self._loop = loop
        self._on_done = on_done
        self.process = EvaluatorProcess(loop, inherited)
        self.lanes: Lanes[_Asked] = Lanes()

    def put(self, asked: _Asked) -> None:
        """Ask as soon as it is its turn."""
        self.lanes.put(asked.owner, asked)
        self._go_on()

    def _go_on(self) -> None:
        if self.lanes and not self.process.busy:
            asked = self.lanes.take()
            begun = self._loop.time()

            def answered(answer: Answer) -> None:
                took_s = self._loop.time() - begun
                self._go_on()
                self._on_done(asked, answer, took_s)

            self.process.ask(asked.question, answered)


class ProcessEvaluator:
    """Evaluates expressions in processes. `inherited` are descriptors that these hold open too."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, inherited: tuple[int, ...] = ()) -> None:
        self._loop = loop
        self._quick = _Desk(loop, inherited, self._done)
        self._slow = _Desk(loop, inherited, self._done)
        self._known_slow: OrderedDict[str, None] = OrderedDict()

    def evaluate(
        self,
        owner: str,
        expression: str,
        arguments: bytes,
        done: Callable[[bytes | Failure], None],
    ) -> Callable[[], None]:
        """Evaluate (see `programs.Evaluator`)."""
        desk = self._slow if expression in self._known_slow else self._quick
        asked = _Asked(owner, Evaluate(expression, msgspec.Raw(arguments)), done)
        if desk.lanes.waiting(owner) >= WAITING:
            reason = f"more than {WAITING:,} expressions of this execution wait to be evaluated"
            self._loop.call_soon(self._tell, asked, _failure(expression, reason))
        else:
            desk.put(asked)

        def drop() -> None:
            asked.done = None
            desk.lanes.remove(owner, asked)

        return drop

    def pids(self) -> list[int]:
        """The processes that there are now."""
        pids = (desk.process.pid for desk in (self._quick, self._slow))
        return [pid for pid in pids if pid is not None]

    def close(self) -> None:
        """Kill the processes; what they were asked is not answered."""
        self._quick.process.close()
        self._slow.process.close()

    def _done(self, asked: _Asked, answer: Answer, took_s: float) -> None:
        expression = asked.question.expression
        died = not isinstance(answer, Value) and answer.last
        if died or took_s > _SLOW_S:
            self._known_slow[expression] = None
            if len(self._known_slow) > _SLOW_KEPT:
                self._known_slow.popitem(last=False)
        if isinstance(answer, Value):
            self._tell(asked, bytes(answer.output))
        else:
            self._tell(asked, _failure(expression, answer.reason))

    def _tell(self, asked: _Asked, result: bytes | Failure) -> None:
        done, asked.done = asked.done, None
        if done is not None:
            done(result)


def _failure(expression: str, reason: str) -> Failure:
    shown = expression if len(expression) <= _SHOWN else f"{expression[:_SHOWN]}…"
    return failures.expression(f"`{shown}`: {reason}")
