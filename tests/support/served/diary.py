"""What tasks write down of themselves, outside of perdure: who began and ended, and when.

The file outlives every process that writes it, and its lines have the order in which they were
written, whatever process wrote them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from perdure import current_task

VARIABLE = "TEST_DIARY"
"""Names the file."""


def note(what: str) -> None:
    """Write a line about the task that runs here, in one go."""
    task = current_task()
    line = f"{task.idempotency_key} {task.attempt} {what} {os.getpid()}\n"
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


@contextmanager
def noted() -> Iterator[None]:
    """Note that the attempt of a task begins, and that it ends, if it comes to its end."""
    note("begin")
    yield
    note("end")
