import msgspec
import pytest

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.model.failure import runtime
from perdure.worker import story
from perdure.worker.outcomes import Ended

NULL = msgspec.Raw(b"null")
FAILED = e.TaskFailed(time=1_000, position="/a", attempt=2, failure=runtime("why", title="Boom"))


def ended(how: str) -> Ended:
    return Ended(
        execution_id="exec-1",
        generation=0,
        position="/a",
        attempt=2,
        name="observe",
        event=None,
        lines=[],
        how=how,
    )


@pytest.mark.parametrize(
    ("run", "continued", "message"),
    [(1, False, "started"), (2, False, "started again, run 2"), (1, True, "continued as new")],
)
def test_starts(run: int, continued: bool, message: str) -> None:
    event = e.ExecutionStarted(time=5, seed=1, workflow_id="w", workflow_version="1", run=run)
    line = story.of_start("exec-1", 7, event, continued=continued)
    assert (line.message, line.timestamp, line.batch, line.task) == (message, 7, -2, None)


@pytest.mark.parametrize(
    ("command", "took_ms", "message", "level"),
    [
        (c.CompleteExecution(result=NULL), 1_200, "completed in 1.2s", "INFO"),
        (c.CompleteExecution(result=NULL), None, "completed", "INFO"),
        (c.CancelExecution(), 90_000, "cancelled in 1m30s", "INFO"),
        (c.FailExecution(failure=runtime("why")), 5, "failed: Runtime error: why", "ERROR"),
    ],
)
def test_ends(command: c.AnyCommand, took_ms: int | None, message: str, level: str) -> None:
    event = e.TimerFired(time=5, position="/sleep")
    line = story.of_end("exec-1", 7, event, command, took_ms)
    assert (line.message, line.level) == (message, level)


def test_an_end_that_was_cut_off_says_so() -> None:
    event = e.TimerFired(time=5, position="/~cleanup")
    line = story.of_end("exec-1", 7, event, c.CancelExecution(), None)
    assert line.message == "cancelled; its cleanup took too long and was cut off"
    assert line.level == "WARNING"


@pytest.mark.parametrize(
    ("commands", "how", "message", "level"),
    [
        ([], "", "attempt 2 of observe failed: Boom: why", "ERROR"),
        (
            [c.StartTimer(position="/a/~retry@2", due_ms=6_000, purpose="retry")],
            "",
            "attempt 2 of observe failed: Boom: why; next attempt in 5s",
            "WARNING",
        ),
        (
            [c.RunTask(position="/a", name="observe", attempt=3, input=NULL)],
            "it stopped",
            "attempt 2 of observe failed: Boom: why; it stopped; next attempt now",
            "WARNING",
        ),
        (
            [c.StartTimer(position="/ab/~retry@2", due_ms=6_000, purpose="retry")],
            "",
            "attempt 2 of observe failed: Boom: why",
            "ERROR",
        ),
    ],
)
def test_failed_attempts(commands: list[c.AnyCommand], how: str, message: str, level: str) -> None:
    line = story.of_attempt("exec-1", 7, FAILED, "observe", ended(how), commands)
    assert line is not None
    assert (line.message, line.level, line.task) == (message, level, "observe")
    assert line.position == FAILED.position


def test_cancelled_attempts() -> None:
    event = e.TaskCancelled(time=5, position="/a", attempt=1)
    assert story.of_attempt("exec-1", 7, event, "observe", None) is None
    line = story.of_attempt("exec-1", 7, event, "observe", ended("it stopped"))
    assert line is not None
    assert (line.message, line.level) == ("observe was cancelled; it stopped", "INFO")
    assert (line.task, line.position) == ("observe", "/a")
    line = story.of_attempt("exec-1", 7, event, "observe", ended("it did not stop"))
    assert line is not None
    assert line.level == "WARNING"


def test_of_what_went_well_there_is_no_line() -> None:
    event = e.TaskCompleted(time=5, position="/a", attempt=1, output=NULL)
    assert story.of_attempt("exec-1", 7, event, "observe", None) is None


def test_lists_of_tasks_that_are_tried_again() -> None:
    waits = [
        c.StartTimer(position="/do/0/a~1b@2/~retry@3", due_ms=6_000, purpose="retry"),
        c.StartTimer(position="/do/1/rest", due_ms=6_000, purpose="sleep"),
    ]
    event = e.TaskCompleted(time=1_000, position="/do/0/a~1b@2/try@2/0/c", attempt=1, output=NULL)
    [line] = story.of_retries("exec-1", 7, event, waits)
    assert (line.message, line.level) == ("a/b is tried again in 5s, retry 3", "INFO")
    assert (line.task, line.position) == ("a/b", "/do/0/a~1b@2")


def test_the_retry_of_a_task_of_its_own_is_told_with_its_attempt() -> None:
    wait = c.StartTimer(position="/a/~retry@2", due_ms=6_000, purpose="retry")
    assert story.of_retries("exec-1", 7, FAILED, [wait]) == []
