"""What holds for all tests.

Hypothesis tries the same examples on every run, however slow the machine.

Tests that start servers and measure real time are marked `alone`: all of `acceptance` and
`recovery` but for simulations, which have a time of their own, and every module that names
`server`. All others have to bear others beside them, in as many processes as there are cores, and
a machine that is busy.
"""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.servers import server

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

_TESTS = Path(__file__).parent
_REAL = {"acceptance", "recovery"}
_SIMULATED = "test_simulated_"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those that have to be alone."""
    for item in items:
        if _is_real(item):
            item.add_marker("alone")


def _is_real(item: pytest.Item) -> bool:
    module = item.getparent(pytest.Module)
    if module is not None and getattr(module.obj, "server", None) is server:
        return True
    tier = item.path.relative_to(_TESTS).parts[0]
    return tier in _REAL and not item.path.name.startswith(_SIMULATED)
