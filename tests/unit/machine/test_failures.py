import pytest

from perdure.machine.uncaught import failure_of
from perdure.model import failure as failures
from perdure.model.exceptions import EncodingError, RaisedError, TaskFailedError


def test_exceptions_that_carry_a_failure_keep_it() -> None:
    carried = failures.timeout("late").at("/toil")
    assert failure_of(TaskFailedError(carried)) is carried
    raised = RaisedError("no such city", type="urn:weather:city", title="Unknown", status=404)
    assert failure_of(raised).type == "urn:weather:city"


@pytest.mark.parametrize(
    ("error", "type_", "title"),
    [
        (EncodingError("no JSON"), "validation", "Validation failed"),
        (KeyError("x"), "runtime", "KeyError"),
        (RuntimeError("no running event loop"), "runtime", "UsageError"),
        (RuntimeError("other"), "runtime", "RuntimeError"),
    ],
)
def test_other_exceptions_become_one(error: Exception, type_: str, title: str) -> None:
    failure = failure_of(error)
    assert failure.type == failures.STANDARD + type_
    assert failure.title == title
