from dataclasses import replace

import msgspec
import pytest

from examples.weather.demo import (
    TASKS,
    BrokenPromise,
    Execution,
    Failure,
    LogRecord,
    Recorded,
    TaskRun,
    expect_each_task_once,
    expect_unchanged,
    text_of,
)

RUN = TaskRun(
    "/parse", "parse", "completed", 1, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z"
)
LINE = LogRecord(4, "2026-01-01T00:00:00.000Z", "INFO", "/parse", "asked")
PARSED = Recorded(RUN, [LINE])


def test_a_task_that_did_not_run_again_is_accepted() -> None:
    expect_unchanged(PARSED, Recorded(RUN, [LINE]))


@pytest.mark.parametrize(
    "after",
    [
        None,
        replace(PARSED, task=msgspec.structs.replace(RUN, attempt=2)),
        replace(PARSED, task=msgspec.structs.replace(RUN, started_at="2026-01-01T00:00:09.000Z")),
        replace(PARSED, task=msgspec.structs.replace(RUN, completed_at="2026-01-01T00:00:09.000Z")),
        replace(PARSED, lines=[LINE, msgspec.structs.replace(LINE, seq=9)]),
        replace(PARSED, lines=[]),
    ],
)
def test_a_task_that_ran_again_is_noticed(after: Recorded | None) -> None:
    with pytest.raises(BrokenPromise, match="parse was recorded, and changed"):
        expect_unchanged(PARSED, after)


@pytest.mark.parametrize(
    "recorded",
    [
        replace(PARSED, lines=[]),
        replace(PARSED, lines=[LINE, msgspec.structs.replace(LINE, seq=5)]),
        replace(PARSED, task=msgspec.structs.replace(RUN, attempt=2)),
    ],
)
def test_a_task_that_already_ran_twice_is_noticed(recorded: Recorded) -> None:
    with pytest.raises(BrokenPromise, match="exactly once"):
        expect_unchanged(recorded, recorded)


def test_each_task_has_to_be_there_once() -> None:
    everything = {
        f"/{name}": Recorded(msgspec.structs.replace(RUN, name=name), [LINE]) for name in TASKS
    }
    expect_each_task_once(everything)
    with pytest.raises(BrokenPromise):
        expect_each_task_once({**everything, "/parse@2": PARSED})
    with pytest.raises(BrokenPromise):
        expect_each_task_once({"/parse": PARSED})


def test_an_execution_that_failed_has_no_answer() -> None:
    failed = Execution("exec-1", "failed", None, Failure("NotCovered", "no observations"))
    with pytest.raises(BrokenPromise, match="It is failed: NotCovered, no observations"):
        text_of(failed)
