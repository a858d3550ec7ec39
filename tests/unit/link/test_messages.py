from typing import get_args

import msgspec
import pytest

from perdure.link import messages as m
from perdure.model.failure import runtime
from perdure.ports.journal import InboxEntry, TimerSet
from perdure.ports.logs import NewLogRecord
from perdure.ports.runtime import DocumentProblem, Served

LINE = NewLogRecord("exec-1", 5, "INFO", None, "text", b"{}", 3)
RUNNING = [m.RunningAttempt("/a", 2)]

TO_WORKER: list[m.ToWorker] = [
    m.Configure(1, 10_000, 300_000),
    m.Load("exec-1", 1, "w", "1", 1, None, 0, b"{}"),
    m.Load(
        "exec-1",
        2,
        "w",
        "1",
        1,
        60_000,
        3,
        b"{}",
        [b"a"],
        [InboxEntry(4, b"b")],
        RUNNING,
        RUNNING,
        ["line"],
        3,
        "d1",
    ),
    m.Define("d1", b"{}"),
    m.Forget("d1"),
    m.Validate(7, b"do:\n"),
    m.Deliver("exec-1", 1, [InboxEntry(1, b"{}")]),
    m.Committed("exec-1", 1, 0),
    m.Refused("exec-1", 1),
    m.Halt("exec-1", 1),
    m.AttemptsLost("exec-1", 1, RUNNING, RUNNING),
    m.StopAttempts("exec-1", ["/a"]),
    m.Ping(1),
    m.Drain(),
    m.Stop(5_000),
]
TO_ENGINE: list[m.ToEngine] = [
    m.Serving([Served(workflow_id="w", version="1", digest="d")], [m.ImportProblem("a.py", "why")]),
    m.Append("exec-1", 1, 0, 0, 0, b"{}", True, False),
    m.Append(
        "exec-1",
        1,
        0,
        0,
        0,
        b"{}",
        True,
        False,
        [TimerSet("/a", 5, True)],
        ["/b"],
        [m.NewChild("/c", "w", None, b"{}", True)],
        ["/d"],
        b"{}",
        m.Ended("failed", failure=runtime("why")),
        [LINE],
        ["/e"],
    ),
    m.Outcomes("exec-1", 2, 3, [m.Unrecorded(b"{}", [LINE], 7), m.Unrecorded(b"{}")]),
    m.LogLines([LINE]),
    m.Held("exec-1", 1, runtime("why"), RUNNING),
    m.Released("exec-1", 1, 4, RUNNING, True),
    m.Pong(1),
    m.Draining("why"),
    m.Idle(),
    m.Validated(7, [DocumentProblem("/do", 1, 4, "is empty")]),
    m.Validated(8, (), Served(workflow_id="w", version="1", digest="d"), b"{}"),
]


@pytest.mark.parametrize("message", TO_WORKER, ids=lambda message: type(message).__name__)
def test_the_worker_reads_what_the_engine_says(message: m.ToWorker) -> None:
    sent = msgspec.msgpack.encode(message)
    received = msgspec.msgpack.decode(sent, type=m.ToWorker)
    assert type(received) is type(message)
    assert msgspec.msgpack.encode(received) == sent


@pytest.mark.parametrize("message", TO_ENGINE, ids=lambda message: type(message).__name__)
def test_the_engine_reads_what_the_worker_says(message: m.ToEngine) -> None:
    sent = msgspec.msgpack.encode(message)
    received = msgspec.msgpack.decode(sent, type=m.ToEngine)
    assert type(received) is type(message)
    assert msgspec.msgpack.encode(received) == sent


def test_every_message_is_tried() -> None:
    assert {type(message) for message in TO_WORKER} == set(get_args(m.ToWorker))
    assert {type(message) for message in TO_ENGINE} == set(get_args(m.ToEngine))
