from typing import Any

import pytest

from perdure import DefinitionError, Retry
from perdure.machine.retry import RetryPolicy


def test_a_retry_becomes_the_policy_of_the_machine() -> None:
    assert Retry(3).policy() == RetryPolicy(
        retries=3, delay_ms=1_000, factor=2.0, maximum_ms=60_000, jitter=0.1
    )
    assert Retry(1, delay="0s", maximum="1h").policy().maximum_ms == 3_600_000


@pytest.mark.parametrize(
    "given",
    [
        {"limit": -1},
        {"limit": 1.5},
        {"limit": 1, "factor": 0.5},
        {"limit": 1, "factor": float("nan")},
        {"limit": 1, "jitter": 1.5},
        {"limit": 1, "delay": "soon"},
        {"limit": 1, "maximum": 60},
        {"limit": 1, "on": ("ValueError",)},
        {"limit": 1, "never_on": int},
    ],
)
def test_a_retry_that_cannot_work_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        Retry(**given)


def test_one_exception_class_needs_no_tuple() -> None:
    retry = Retry(1, on=OSError, never_on=FileNotFoundError)
    assert retry.allows(ConnectionError())
    assert not retry.allows(FileNotFoundError())
