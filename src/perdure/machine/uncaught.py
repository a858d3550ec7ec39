"""What becomes of exceptions that no program catches, and of awaits that no machine knows."""

import re

from perdure.model import failure as failures
from perdure.model.exceptions import EncodingError, FailedError, RaisedError, UsageError
from perdure.model.failure import Failure

_NO_LOOP = re.compile(
    r"no (running|current) event loop|'NoneType' .* 'create_future'|asynchronous event loop"
)


def failure_of(error: BaseException) -> Failure:
    """What the record keeps of an exception that nothing caught; never fails."""
    try:
        return _failure_of(error)
    except BaseException:  # its text cannot be had: what says so is user code too
        return failures.runtime("", title=type(error).__qualname__)


def _failure_of(error: BaseException) -> Failure:
    if isinstance(error, FailedError | RaisedError):
        return failures.recordable(error.failure)
    if isinstance(error, EncodingError):
        return failures.validation(str(error))
    if isinstance(error, RuntimeError | AttributeError) and _NO_LOOP.search(str(error)):
        return failures.runtime(
            "asyncio was used in workflow code, which has no event loop: await perdure.sleep, "
            "perdure.gather or a task instead, and put everything else into a task",
            title=UsageError.__name__,
        )
    return failures.runtime(str(error), title=type(error).__qualname__)


def foreign(request: object) -> str:
    """What to tell a program that awaited something that only asyncio could answer."""
    what = "asyncio.sleep(0) or a bare yield" if request is None else type(request).__qualname__
    return (
        f"a workflow awaited something foreign ({what}): it can await tasks, sleep, gather, "
        "wait_for_event and child workflows; put anything else into a task"
    )
