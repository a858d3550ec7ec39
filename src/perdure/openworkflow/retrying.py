"""Retry policies (dsl-reference, Retry), as we read them where the texts disagree.

- `limit.attempt.count` counts the retries, not the first try: dsl.md retries "5 times" with 5.
- `limit.attempt.duration` bounds each retry, `limit.duration` all of them, as the schema says; the
  reference has it the other way about, which would leave nothing to bound an attempt with.
- `limit.duration` runs from the first caught error. A retry whose delay would end after it is not
  begun; one that runs is not interrupted by it.
- The delay before retry n is `delay` (`constant`, or no backoff), n times that (`linear`), or
  2^(n-1) times that (`exponential`); `jitter` adds a random length between its bounds.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from perdure.model.exceptions import DefinitionError
from perdure.openworkflow import effects
from perdure.openworkflow import types as t
from perdure.openworkflow.expressions import sites, truthy
from perdure.openworkflow.lengths import Length
from perdure.openworkflow.running import Frame
from perdure.openworkflow.timeouts import limited

if TYPE_CHECKING:
    from perdure.openworkflow.compiling import Compiler, Place

R = TypeVar("R")

_LONGEST_MS = 366 * 86_400_000


class Retrying:
    """When a list of tasks is tried again."""

    def __init__(self, policy: t.RetryPolicy | str, compiler: "Compiler", place: "Place") -> None:
        if isinstance(policy, str):
            if policy not in compiler.use.retries:
                raise DefinitionError(f"use.retries has no {policy!r}")
            policy = compiler.use.retries[policy]

        def length(duration: t.Duration | None) -> Length | None:
            return None if duration is None else compiler.length(duration, place)

        limit = policy.limit or t.RetryLimit()
        attempt = limit.attempt or t.RetryAttemptLimit()
        self._when = compiler.expression(policy.when, sites.TASK_DEFINITION, place)
        self._except_when = compiler.expression(policy.except_when, sites.TASK_DEFINITION, place)
        self._delay = length(policy.delay)
        self._backoff = next(iter(policy.backoff or ()), "constant")
        self._count = attempt.count
        self._attempt_limit = length(attempt.duration)
        self._limit = length(limit.duration)
        self._jitter_from = length(policy.jitter.from_) if policy.jitter else None
        self._jitter_to = length(policy.jitter.to) if policy.jitter else None

    async def waits(self, frame: Frame, retry: int, since_ms: int) -> bool:
        """Whether there is a retry of this number (from 1); then its delay is over.

        The frame's scope has the error, `since_ms` is when the first one was caught.
        """
        if self._count is not None and retry > self._count:
            return False
        value, machine = frame.input, frame.run.machine
        if self._when is not None and not truthy(await self._when.evaluate(frame, value)):
            return False
        if self._except_when is not None and truthy(await self._except_when.evaluate(frame, value)):
            return False
        delay_ms = await self._delay_ms(frame, retry)
        if self._limit is not None:
            limit_ms = await self._limit.milliseconds(frame, value)
            if machine.time + delay_ms > since_ms + limit_ms:
                return False
        if delay_ms:
            await effects.wait(machine, f"{frame.position}/~retry@{retry}", delay_ms, "retry")
        return True

    async def attempt(
        self, frame: Frame, position: str, call: Callable[[], Coroutine[Any, Any, R]]
    ) -> R:
        """What `call`, a retry, returns. Raises WorkflowError (timeout) where it takes too long."""
        if self._attempt_limit is None:
            return await call()
        limit_ms = await self._attempt_limit.milliseconds(frame, frame.input)
        return await limited(frame, position, limit_ms, f"a retry of task {frame.name}", call)

    async def _delay_ms(self, frame: Frame, retry: int) -> int:
        delay_ms = 0
        if self._delay is not None:
            delay_ms = await self._delay.milliseconds(frame, frame.input)
        if self._backoff == "linear":
            delay_ms *= retry
        elif self._backoff == "exponential":
            delay_ms *= 2 ** min(retry - 1, 64)
        if self._jitter_from is not None and self._jitter_to is not None:
            least = await self._jitter_from.milliseconds(frame, frame.input)
            most = await self._jitter_to.milliseconds(frame, frame.input)
            draw = frame.run.machine.randomness.random()
            delay_ms += round(least + (most - least) * draw)
        return min(delay_ms, _LONGEST_MS)
