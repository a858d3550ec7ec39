"""How often, when and after which exceptions a task is tried again."""

from dataclasses import dataclass

from perdure.machine.retry import RetryPolicy
from perdure.model.durations import Duration, milliseconds
from perdure.model.exceptions import (
    DefinitionError,
    DisagreementError,
    EncodingError,
    RaisedError,
    UsageError,
)

Exceptions = type[BaseException] | tuple[type[BaseException], ...]

_NEVER_RETRYABLE = (DefinitionError, DisagreementError, EncodingError, UsageError)


@dataclass(frozen=True, slots=True)
class Retry:
    """When to try a failed task again.

    `limit` is the number of attempts after the first. The wait is `delay` after the first
    attempt, `factor` times longer after each further one, at most `maximum`, and shortened at
    random by up to the fraction `jitter`. Exceptions of `on` are tried again, but those of
    `never_on`; an attempt that ran out of time counts as TimeoutError. What perdure itself
    raises for wrong code or data is never tried again.
    """

    limit: int
    delay: Duration = "1s"
    factor: float = 2.0
    maximum: Duration = "1m"
    jitter: float = 0.1
    on: Exceptions = (Exception,)
    never_on: Exceptions = ()

    def __post_init__(self) -> None:
        if not _is_count(self.limit):
            raise DefinitionError(f"retries are a whole number from 0 on, not {self.limit!r}")
        if not self.factor >= 1:
            raise DefinitionError(f"a retry's factor is 1 or more, not {self.factor!r}")
        if not 0 <= self.jitter <= 1:
            raise DefinitionError(f"a retry's jitter is between 0 and 1, not {self.jitter!r}")
        for given in (self.on, self.never_on):
            for kind in given if isinstance(given, tuple) else (given,):
                if not _is_exception_class(kind):
                    raise DefinitionError(f"a retry names exception classes, not {kind!r}")
        self.policy()

    def policy(self) -> RetryPolicy:
        """The part of it that workflow code needs."""
        try:
            return RetryPolicy(
                retries=self.limit,
                delay_ms=milliseconds(self.delay),
                factor=self.factor,
                maximum_ms=milliseconds(self.maximum),
                jitter=self.jitter,
            )
        except (TypeError, ValueError) as error:
            raise DefinitionError(f"a retry's delay: {error}") from None

    def allows(self, error: BaseException) -> bool:
        """Whether a task that failed with `error` may be tried again."""
        if isinstance(error, RaisedError) and not error.retryable:
            return False
        if isinstance(error, (_NEVER_RETRYABLE, self.never_on)):
            return False
        return isinstance(error, self.on)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_exception_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)
