"""Stories that are told on are those that are told from the beginning."""

import threading
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.engine.stories import Stories
from perdure.engine.views import Story, ToldTask
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model import failure as failures
from perdure.ports.journal import Journal, Row
from tests.unit.engine.recorded import NOTHING, Recorded, completed, run, started

IDS = ("exec-a", "exec-b")
FAILURE = failures.timeout("too long")
times = st.integers(0, 50)
positions = st.sampled_from(["/a", "/b", "/c@1"])
names = st.sampled_from(["x", "y"])


def failed(time: int, position: str) -> e.TaskFailed:
    return e.TaskFailed(time=time, position=position, attempt=1, failure=FAILURE)


def retry(position: str, due_ms: int) -> c.StartTimer:
    return c.StartTimer(position=f"{position}/~retry", due_ms=due_ms, purpose="retry")


def child(position: str, wait: bool) -> c.StartChild:
    return c.StartChild(position=position, workflow_id="w", input=NOTHING, wait=wait)


events: st.SearchStrategy[e.AnyEvent] = st.one_of(
    st.builds(started, times, names),
    st.builds(completed, positions, st.integers(1, 2), times),
    st.builds(failed, times, positions),
    st.builds(e.TaskCancelled, time=times, position=positions, attempt=st.just(1)),
    st.builds(e.TimerFired, time=times, position=positions),
    st.builds(e.EventReceived, time=times, name=names, data=st.just(NOTHING)),
    st.builds(e.ChildStarted, time=times, position=positions, execution_id=st.just("exec-c")),
    st.builds(e.CancelRequested, time=times),
)
commands: st.SearchStrategy[c.AnyCommand] = st.one_of(
    st.builds(run, positions, st.integers(1, 3)),
    st.builds(c.StartTimer, position=positions, due_ms=times),
    st.builds(retry, positions, times),
    st.builds(c.CancelTimer, position=positions),
    st.builds(c.WaitForEvent, position=positions, name=names),
    st.builds(c.StopWaiting, position=positions),
    st.builds(child, positions, st.booleans()),
    st.builds(c.ContinueAsNew, input=st.just(NOTHING)),
    st.builds(c.CancelExecution),
)
batches = st.tuples(st.sampled_from(IDS), events, st.lists(commands, max_size=4))
retries = st.tuples(st.sampled_from(IDS), st.none(), st.none())


def seen(row: Row, story: Story) -> tuple[object, ...]:
    """All that a story tells, and up to where."""
    tasks = [
        {name: getattr(task, name) for name in ToldTask.__slots__} for task in story.tasks(0, 999)
    ]
    return row.next_seq, story.current_tasks(), story.waiting_for(), story.open_attempts(), tasks


def from_the_beginning(journal: Recorded, execution_id: str, next_seq: int | None = None) -> object:
    row = journal.rows[execution_id]
    if next_seq is not None:
        row = msgspec.structs.replace(row, next_seq=next_seq)
    bodies = journal.bodies[execution_id][row.journal_start : row.next_seq]
    return seen(row, Story(row.journal_start, bodies))


def look(stories: Stories, execution_id: str) -> Any:
    telling = stories.telling(execution_id)
    while (told := telling.go_on(seen)) is None:
        pass
    return told


def told_by(journal: Recorded, **bounds: int) -> Stories:
    return Stories(cast(Journal, journal), **bounds)


@given(
    st.lists(st.one_of(batches, batches, batches, retries), max_size=60),
    st.fixed_dictionaries(
        {
            "step": st.integers(1, 5),
            "short": st.integers(0, 3),
            "kept": st.integers(1, 2),
            "kept_bytes": st.sampled_from([0, 2_000, 1_000_000]),
        }
    ),
    st.data(),
)
def test_at_every_prefix(
    history: list[tuple[str, Any, Any]], bounds: dict[str, int], data: st.DataObject
) -> None:
    journal = Recorded()
    stories = told_by(journal, **bounds)
    for execution_id in IDS:
        journal.create(execution_id)
    for execution_id, event, asked in history:
        if event is None:
            journal.change(execution_id, run=journal.rows[execution_id].run + 1)
        else:
            journal.append(execution_id, event, *asked)
        for looked_at in data.draw(st.lists(st.sampled_from(IDS), max_size=2)):
            assert look(stories, looked_at) == from_the_beginning(journal, looked_at)
    for execution_id in IDS:
        assert look(stories, execution_id) == from_the_beginning(journal, execution_id)


def long_journal(batches: int) -> Recorded:
    journal = Recorded()
    journal.create("exec-a")
    journal.append("exec-a", started(), run("/t@0"))
    for number in range(1, batches):
        journal.append("exec-a", completed(f"/t@{number - 1}", time=number), run(f"/t@{number}"))
    return journal


def test_only_what_is_new_is_read() -> None:
    journal = long_journal(50)
    stories = told_by(journal, short=10, step=7)
    look(stories, "exec-a")
    assert journal.reads == list(range(50))
    look(stories, "exec-a")
    journal.append("exec-a", completed("/t@49", time=50), run("/t@50"))
    look(stories, "exec-a")
    assert journal.reads == list(range(51))


def test_no_step_reads_more_than_it_may() -> None:
    journal = long_journal(50)
    telling = told_by(journal, short=10, step=20).telling("exec-a")
    assert [telling.go_on(seen) for _ in range(2)] == [None, None]
    assert len(journal.reads) == 40
    assert telling.go_on(seen) == from_the_beginning(journal, "exec-a")


def test_who_looks_gets_on_though_nothing_is_kept() -> None:
    journal = long_journal(50)
    stories = told_by(journal, short=10, step=7, kept_bytes=0)
    for _ in range(2):
        journal.reads.clear()
        assert look(stories, "exec-a") == from_the_beginning(journal, "exec-a")
        assert journal.reads == list(range(50))


def test_an_unknown_execution_is_told_as_such() -> None:
    with pytest.raises(LookupError, match="exec-unknown"):
        told_by(Recorded()).telling("exec-unknown").go_on(seen)


def test_what_cannot_be_read_is_left_out() -> None:
    journal = long_journal(5)
    before = look(told_by(journal), "exec-a")
    journal.bodies["exec-a"][2:2] = [b"\xff nonsense", b'{"v": 99, "event": {"kind": "New"}}']
    journal.change("exec-a", next_seq=7)
    after = look(told_by(journal), "exec-a")
    assert after[1:4] == before[1:4]


def test_many_threads_see_what_was_recorded_at_their_time() -> None:
    journal = long_journal(20)
    stories = told_by(journal, short=0, step=3, kept=1)
    views: list[Any] = []
    wrong: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                views.append(look(stories, "exec-a"))
        except BaseException as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(20, 300):
        journal.append("exec-a", completed(f"/t@{number - 1}", time=number), run(f"/t@{number}"))
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert views
    for view in views[-200:]:
        assert view == from_the_beginning(journal, "exec-a", view[0])
