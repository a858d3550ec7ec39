"""The store keeps what its ports promise, with threads and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.store.sqlite import lists, walks
from tests.unit.ports.appending_suite import AppendingSuite
from tests.unit.ports.control_suite import ControlSuite
from tests.unit.ports.definitions_suite import DefinitionsSuite
from tests.unit.ports.executions_suite import ExecutionsSuite
from tests.unit.ports.inbox_suite import InboxSuite
from tests.unit.ports.journal_reads_suite import JournalReadsSuite
from tests.unit.ports.log_reads_suite import LogReadsSuite
from tests.unit.ports.logs_suite import LogsSuite
from tests.unit.ports.starting_suite import StartingSuite
from tests.unit.ports.subject import Subject
from tests.unit.store.opened import Loop, open_store


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "inline"], scope="class")
class OnSqlite:
    @pytest.fixture
    def opened(self, tmp_path: Path, threads: bool) -> Iterator[Subject]:
        loop = Loop()
        store = open_store(tmp_path, loop, threads=threads)
        yield Subject(store.journal, store.logs, loop.run_until)
        store.close()


class TestAppending(OnSqlite, AppendingSuite):
    pass


class TestInbox(OnSqlite, InboxSuite):
    pass


class TestControl(OnSqlite, ControlSuite):
    pass


class TestJournalReads(OnSqlite, JournalReadsSuite):
    pass


class TestExecutions(OnSqlite, ExecutionsSuite):
    pass


class TestExecutionsUnderTightBounds(OnSqlite, ExecutionsSuite):
    """As if there were many: few can be put in order, and a page looks at few."""

    counts_exactly = False

    @pytest.fixture(autouse=True)
    def _tight(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "FEW", 3)
        monkeypatch.setattr(lists, "EXAMINED_LIMIT", 10)
        monkeypatch.setattr(walks, "_FIRST_PORTION", 2)


class TestStarting(OnSqlite, StartingSuite):
    pass


class TestDefinitions(OnSqlite, DefinitionsSuite):
    pass


class TestLogs(OnSqlite, LogsSuite):
    pass


class TestLogReads(OnSqlite, LogReadsSuite):
    pass
