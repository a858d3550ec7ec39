"""What tests of commands share."""

import time
from collections.abc import Iterator

import pytest

from tests.unit.cli.scripted import terminal

__all__ = ["terminal"]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown on the clock of this place."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()
