"""The bodies, field by field and in the order of the contract."""

import json
from typing import Any

import msgspec

from perdure.model.execution import CurrentTask, Execution, Head, LogRecord, TaskRun, Waiting
from perdure.model.failure import timeout
from perdure.model.status import Status
from perdure.wire.executions import head, whole
from perdure.wire.logs import log_record
from perdure.wire.requests import Execute, SendEvent
from perdure.wire.tasks import task_run

AT = 1_771_864_200_123
HEAD = Head(
    execution_id="exec-1",
    workflow_id="weather",
    workflow_version="2",
    status=Status.RUNNING,
    created_at=AT,
    started_at=AT + 1000,
    tags={"team": "a"},
)
HEAD_SHOWN = {
    "execution_id": "exec-1",
    "workflow_id": "weather",
    "workflow_version": "2",
    "status": "running",
    "created_at": "2026-02-23T16:30:00.123Z",
    "started_at": "2026-02-23T16:30:01.123Z",
    "completed_at": None,
    "tags": {"team": "a"},
}


def shown(body: msgspec.Struct) -> Any:
    """What is sent; who decodes it with the same struct loses nothing."""
    encoded = msgspec.json.encode(body)
    decoded = msgspec.json.decode(encoded, type=type(body))
    assert json.loads(msgspec.json.encode(decoded)) == json.loads(encoded)
    return json.loads(encoded)


def ordered(body: msgspec.Struct) -> list[str]:
    return list(shown(body))


def test_a_head() -> None:
    assert shown(head(HEAD)) == HEAD_SHOWN
    assert ordered(head(HEAD)) == list(HEAD_SHOWN)


def test_a_whole_one_begins_with_its_head_and_shows_nulls() -> None:
    body = whole(Execution(head=HEAD, inputs=msgspec.Raw(b'{"n": 1}')), AT + 2500)
    rest: dict[str, Any] = {
        "inputs": {"n": 1},
        "result": None,
        "error": None,
        "current_tasks": [],
        "waiting_for": [],
        "created_by": None,
        "attempt": 1,
        "cancel_requested_at": None,
        "paused_at": None,
        "duration_ms": 1500,
        "logs": [],
    }
    assert shown(body) == {**HEAD_SHOWN, **rest}
    assert ordered(body) == [*HEAD_SHOWN, *rest]


def test_a_whole_one_with_everything() -> None:
    ended = msgspec.structs.replace(HEAD, status=Status.FAILED, completed_at=AT + 3000)
    execution = Execution(
        head=ended,
        inputs=msgspec.Raw(b"{}"),
        result=msgspec.Raw(b"[1]"),
        error=timeout("too slow"),
        current_tasks=(CurrentTask(position="/a", name="a", attempt=2, started_at=AT),),
        waiting_for=(
            Waiting(kind="timer", position="/s", since=AT, until=AT + 1),
            Waiting(kind="event", position="/e", since=AT, name="paid"),
        ),
        created_by="admin",
        attempt=2,
        cancel_requested_at=AT,
        paused_at=AT,
        logs=(LogRecord(seq=1, timestamp=AT, level="INFO", task=None, message="m"),),
    )
    body = shown(whole(execution, AT + 99_000))
    at = "2026-02-23T16:30:00.123Z"
    assert body["duration_ms"] == 2000
    assert body["result"] == [1]
    assert body["error"]["title"] == "Timed out"
    assert list(body["error"]) == ["type", "status", "title", "detail", "instance"]
    assert body["error"]["instance"] == ""
    assert body["current_tasks"] == [
        {"position": "/a", "name": "a", "attempt": 2, "started_at": at}
    ]
    assert body["waiting_for"] == [
        {
            "kind": "timer",
            "position": "/s",
            "since": at,
            "name": None,
            "until": "2026-02-23T16:30:00.124Z",
        },
        {"kind": "event", "position": "/e", "since": at, "name": "paid", "until": None},
    ]
    assert body["cancel_requested_at"] == body["paused_at"] == at
    assert (body["created_by"], body["attempt"]) == ("admin", 2)
    assert body["logs"][0]["seq"] == 1


def test_a_duration_is_null_before_the_start_and_never_negative() -> None:
    pending = msgspec.structs.replace(HEAD, status=Status.PENDING, started_at=None)
    inputs = msgspec.Raw(b"{}")
    assert whole(Execution(head=pending, inputs=inputs), AT).duration_ms is None
    assert whole(Execution(head=HEAD, inputs=inputs), AT - 5000).duration_ms == 0


def test_a_log_record() -> None:
    record = LogRecord(
        seq=7,
        timestamp=AT,
        level="WARNING",
        task="/a",
        message="m",
        fields=msgspec.Raw(b'{"k":1}'),
    )
    body = log_record(record)
    assert shown(body) == {
        "seq": 7,
        "timestamp": "2026-02-23T16:30:00.123Z",
        "level": "WARNING",
        "task": "/a",
        "message": "m",
        "fields": {"k": 1},
    }
    assert ordered(body) == ["seq", "timestamp", "level", "task", "message", "fields"]


def test_a_task_run_leaves_out_what_it_has_not() -> None:
    run = TaskRun(position="/a", name="a", kind="task", status="running", attempt=1, started_at=AT)
    assert shown(task_run(run)) == {
        "position": "/a",
        "name": "a",
        "kind": "task",
        "status": "running",
        "attempt": 1,
        "started_at": "2026-02-23T16:30:00.123Z",
        "completed_at": None,
    }


def test_a_task_run_tells_null_from_nothing() -> None:
    run = TaskRun(
        position="/a",
        name="a",
        kind="task",
        status="failed",
        attempt=1,
        started_at=AT,
        completed_at=AT,
        input=msgspec.Raw(b"[1]"),
        output=msgspec.Raw(b"null"),
        error=timeout("slow"),
    )
    body = shown(task_run(run))
    assert body["input"] == [1]
    assert body["output"] is None
    assert body["error"]["detail"] == "slow"


def test_the_bodies_that_clients_send_have_schemas_with_their_bounds() -> None:
    schema = msgspec.json.schema(Execute)["$defs"]["Execute"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["inputs"] == {"type": "object"}
    assert schema["properties"]["tags"]["maxProperties"] == 64
    assert schema["properties"]["priority"]["maximum"] == 1000
    assert msgspec.json.schema(SendEvent)["$defs"]["SendEvent"]["properties"]["data"] == {}
