"""What all unit tests share."""

from collections.abc import Iterator
from typing import Any

import pytest

from perdure.machine.machine import Machine


@pytest.fixture(autouse=True)
def _machines_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every machine that a test leaves standing: collected later, it would complain there."""
    made: list[Machine] = []
    initialise = Machine.__init__

    def noted(machine: Machine, *arguments: Any, **options: Any) -> None:
        initialise(machine, *arguments, **options)
        made.append(machine)

    monkeypatch.setattr(Machine, "__init__", noted)
    yield
    for machine in made:
        machine.close()
