"""What a story tells."""

from collections.abc import Sequence
from typing import cast

import msgspec

from perdure.engine.task_runs import ended_attempts, result_of, with_values
from perdure.engine.views import Story
from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import encode_batch
from perdure.model import failure as failures
from perdure.model.execution import TaskRun
from perdure.model.status import Status
from perdure.ports.journal import Journal
from tests.unit.engine.recorded import NOTHING, Recorded, completed, run, started

FAILURE = failures.timeout("too long")
PLACED = FAILURE.at("/b")
ID = "exec-a"


def failed(position: str, attempt: int, time: int) -> e.TaskFailed:
    return e.TaskFailed(time=time, position=position, attempt=attempt, failure=FAILURE)


def retry(position: str, due_ms: int) -> c.StartTimer:
    return c.StartTimer(position=f"{position}/~retry", due_ms=due_ms, purpose="retry")


def received(name: str, time: int = 0) -> e.EventReceived:
    return e.EventReceived(time=time, name=name, data=NOTHING)


def wait(position: str, name: str) -> c.WaitForEvent:
    return c.WaitForEvent(position=position, name=name)


def journal_of(*batches: tuple[e.AnyEvent, Sequence[c.AnyCommand]]) -> Recorded:
    journal = Recorded()
    journal.create(ID)
    for event, commands in batches:
        journal.append(ID, event, *commands)
    return journal


def story_of(journal: Recorded) -> Story:
    return Story(journal.rows[ID].journal_start, journal.bodies[ID])


def runs_of(journal: Recorded, offset: int = 0, limit: int = 100) -> list[TaskRun]:
    told = story_of(journal).tasks(offset, limit)
    runs = with_values(cast(Journal, journal), journal.rows[ID], told)
    assert runs is not None
    return runs


def current(journal: Recorded) -> list[tuple[str, int, int]]:
    ended = ended_attempts(cast(Journal, journal), journal.rows[ID])
    tasks = story_of(journal).current_tasks(ended)
    return [(task.position, task.attempt, task.started_at) for task in tasks]


def waits(journal: Recorded) -> list[tuple[str, str]]:
    return [(waiting.kind, waiting.position) for waiting in story_of(journal).waiting_for()]


def test_a_task_from_its_start_through_retries_to_its_end() -> None:
    journal = journal_of((started(5), [run("/b", value=b"1"), run("/a", value=b"2")]))
    assert current(journal) == [("/b", 1, 5), ("/a", 1, 5)]
    journal.append(ID, failed("/b", 1, 10), retry("/b", 20))
    assert current(journal) == [("/b", 1, 5), ("/a", 1, 5)]
    retrying, other = runs_of(journal)
    assert (retrying.status, retrying.error, retrying.completed_at) == ("retrying", PLACED, None)
    assert (other.position, other.status, other.input) == ("/a", "running", msgspec.Raw(b"2"))
    journal.append(ID, e.TimerFired(time=20, position="/b/~retry"), run("/b", 2, b"3"))
    again = runs_of(journal)[0]
    assert (again.status, again.attempt, again.error, again.input) == (
        "running", 2, None, msgspec.Raw(b"3"),
    )  # fmt: skip
    journal.append(ID, completed("/b", 2, 30, b"4"))
    assert current(journal) == [("/a", 1, 5)]
    assert runs_of(journal)[0] == TaskRun(
        position="/b", name="b", kind="task", status="completed", attempt=2, started_at=5,
        completed_at=30, input=msgspec.Raw(b"3"), output=msgspec.Raw(b"4"),
    )  # fmt: skip


def test_children_are_tasks_and_are_waited_for() -> None:
    def child(position: str, *, awaited: bool) -> c.StartChild:
        return c.StartChild(position=position, workflow_id="w", input=NOTHING, wait=awaited)

    journal = journal_of((started(), [child("/x", awaited=True), child("/y", awaited=False)]))
    assert waits(journal) == [("child", "/x")]
    assert current(journal) == []
    journal.append(ID, e.ChildStarted(time=1, position="/y", execution_id="exec-y"))
    journal.append(
        ID,
        e.ChildCompleted(time=2, position="/x", execution_id="exec-x", result=msgspec.Raw(b"7")),
    )
    assert waits(journal) == []
    assert [(run.name, run.kind, run.status, run.output) for run in runs_of(journal)] == [
        ("w", "child", "completed", msgspec.Raw(b"7")),
        ("w", "child", "completed", None),
    ]


def test_events_answer_the_waits_in_their_order() -> None:
    journal = journal_of((started(), [wait("/1", "go"), wait("/2", "go"), wait("/3", "stop")]))
    journal.append(ID, received("go"))
    assert waits(journal) == [("event", "/2"), ("event", "/3")]
    journal.append(ID, received("go"), c.StopWaiting(position="/3"))
    assert waits(journal) == []


def test_who_waits_for_what_has_come_already_does_not_wait() -> None:
    journal = journal_of((started(0, "carried"), []), (received("early"), []))
    waiting = [wait("/1", "early"), wait("/2", "early"), wait("/3", "carried")]
    journal.append(ID, e.CancelRequested(time=1), *waiting)
    assert waits(journal) == [("event", "/2")]


def test_a_list_of_tasks_that_is_to_be_tried_again_is_waited_for() -> None:
    journal = journal_of((started(), [run("/do/0/t/try/0/a")]))

    journal.append(ID, failed("/do/0/t/try/0/a", 1, 10), retry("/do/0/t", 20))

    assert waits(journal) == [("timer", "/do/0/t/~retry")]
    journal.append(ID, e.TimerFired(time=20, position="/do/0/t/~retry"))
    assert waits(journal) == []


def test_tasks_of_perdure_s_own_are_not_told() -> None:
    journal = journal_of((started(), [run("/do/0/loop/do@9/~checkpoint")]))

    assert runs_of(journal) == []
    assert current(journal) == []


def test_timers_are_waited_for_but_for_perdure_s_own() -> None:
    journal = journal_of(
        (
            started(),
            [
                c.StartTimer(position="/sleep", due_ms=9),
                c.StartTimer(position="/~timeout", due_ms=9, purpose="timeout"),
            ],
        )
    )
    assert waits(journal) == [("timer", "/sleep")]
    journal.append(ID, received("x"), c.CancelTimer(position="/sleep"))
    assert waits(journal) == []


def test_an_end_ends_all_that_is_open() -> None:
    journal = journal_of((started(), [run("/a"), run("/b"), wait("/w", "go")]))
    journal.append(ID, completed("/a", time=5))
    journal.append(ID, e.CancelRequested(time=6), c.CancelExecution())
    assert waits(journal) == []
    assert current(journal) == []
    assert [(run.status, run.completed_at) for run in runs_of(journal)] == [
        ("completed", 5),
        ("cancelled", 6),
    ]


def test_outcomes_that_wait_in_the_inbox_of_a_paused_execution_are_shown() -> None:
    journal = journal_of((started(), [run("/a"), run("/b"), run("/c"), run("/d", 2)]))
    journal.put(ID, completed("/a", time=7, value=b"1"))
    journal.put(ID, failed("/b", 1, 8))
    journal.put(ID, e.TaskCancelled(time=9, position="/c", attempt=1))
    journal.put(ID, completed("/d", 1, 9))  # of an attempt that was answered before
    before = runs_of(journal)
    assert [run.status for run in before] == ["running"] * 4
    journal.change(ID, status=Status.PAUSED)
    assert [position for position, _, _ in current(journal)] == ["/d"]
    after = runs_of(journal)
    assert [(run.status, run.completed_at, run.output, run.error) for run in after] == [
        ("completed", 7, msgspec.Raw(b"1"), None),
        ("failed", 8, None, PLACED),
        ("cancelled", 9, None, None),
        ("running", None, None, None),
    ]


def test_a_page_of_tasks_reads_the_batches_of_its_tasks_alone() -> None:
    journal = journal_of((started(), [run("/t@0")]))
    for number in range(1, 1_000):
        journal.append(ID, completed(f"/t@{number - 1}", value=b"%d" % number), run(f"/t@{number}"))
    journal.reads.clear()
    told = story_of(journal).tasks(500, 3)
    runs = with_values(cast(Journal, journal), journal.rows[ID], told)
    assert runs is not None
    assert [run.output for run in runs] == [msgspec.Raw(b"%d" % n) for n in (501, 502, 503)]
    assert journal.reads == [500, 501, 502, 503]


def test_a_page_of_a_generation_that_has_ended_meanwhile_is_not_shown() -> None:
    journal = journal_of((started(), [run("/a")]))
    row, told = journal.rows[ID], story_of(journal).tasks(0, 10)
    journal.append(ID, completed("/a"), c.ContinueAsNew(input=NOTHING))
    assert with_values(cast(Journal, journal), row, told) is None


def test_the_result_is_that_of_the_last_batch() -> None:
    last = encode_batch(completed("/a"), [c.CompleteExecution(result=msgspec.Raw(b'"r"'))])
    assert result_of([last]) == msgspec.Raw(b'"r"')
    assert result_of([encode_batch(completed("/a"), [])]) is None
    assert result_of([b"nonsense"]) is None
    assert result_of([]) is None
