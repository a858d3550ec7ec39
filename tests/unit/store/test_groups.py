"""A thread that is told to stop writes what it has, or is abandoned and writes nothing more."""

import threading
import time

from perdure.store.sqlite.groups import ThreadedGroups
from tests.unit.store.opened import PATIENCE_S


class Writing:
    """Notes the groups, and holds the first one until told to go on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def write(self, group: list[int]) -> None:
        self.groups.append(group)
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)


def test_what_was_put_is_written_before_a_close_returns() -> None:
    writing = Writing()
    groups = ThreadedGroups("test", writing.write)
    groups.put(1)
    assert writing.begun.wait(PATIENCE_S)
    for number in (2, 3, 4):
        groups.put(number)
    groups.flush()
    writing.go_on.set()
    groups.close()
    assert writing.groups == [[1], [2, 3, 4]]


def test_an_abandoned_thread_finishes_its_group_only() -> None:
    writing = Writing()
    groups = ThreadedGroups("test", writing.write)
    groups.put(1)
    assert writing.begun.wait(PATIENCE_S)
    groups.put(2)
    abandoning = threading.Thread(target=groups.abandon)
    abandoning.start()
    while not groups.abandoned:
        time.sleep(0)
    writing.go_on.set()
    abandoning.join()
    assert writing.groups == [[1]]
