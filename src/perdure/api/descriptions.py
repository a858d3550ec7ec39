"""What the members of bodies mean, by their names; a name means the same wherever it stands.

Where one body means something else by it, ``Body.name`` says so, with the body's public name.
"""

from collections.abc import Mapping
from typing import Any

DESCRIPTIONS: Mapping[str, str] = {
    # Executions.
    "execution_id": "Names the execution; ids sort by creation.",
    "workflow_id": "The workflow that is executed.",
    "workflow_version": "The version that the execution is pinned to.",
    "status": "Where it stands.",
    "created_at": "When it was asked for.",
    "started_at": "When it began to run; null while it is pending.",
    "completed_at": "When it came to any end; null before.",
    "tags": "What it was marked with at its start.",
    "inputs": "What it was started with: an object.",
    "result": "What its workflow returned: any JSON; null until then.",
    "error": "Why it failed, or is held; null where nothing went wrong.",
    "current_tasks": "Tasks that run now, or wait for their next attempt.",
    "waiting_for": "What it waits for, other than tasks.",
    "created_by": "Who started it; null where the server asks for no key.",
    "attempt": "The number of the run: 1, and one more for each operator's retry.",
    "cancel_requested_at": "When it was asked to be cancelled; null where it was not.",
    "paused_at": "When it was paused; null where it is not.",
    "duration_ms": "How long it ran, or runs so far, in milliseconds; null before it started.",
    "logs": "Log records, in order.",
    "executions": "The executions of this page.",
    "next_cursor": "Pass it as `cursor` to get the next page; null on the last one.",
    "total": "How many fit the filters, counted up to 10,000; left out unless it was asked for.",
    "total_is_exact": "False where there are more than were counted.",
    # Tasks and waits.
    "tasks": "The task runs of this page.",
    "position": "Where in the workflow it is.",
    "name": "The name of the task.",
    "kind": "What kind of thing it is.",
    "input": "What it was called with; left out where it was called with nothing.",
    "output": "What it returned; left out until then.",
    "since": "When the wait began.",
    "until": "When a timer is due; null for other waits.",
    "CurrentTask.attempt": "The number of the attempt that runs or comes next.",
    "CurrentTask.started_at": "When its first attempt began.",
    "TaskRun.attempt": "The number of its latest attempt.",
    "TaskRun.started_at": "When its first attempt began.",
    "TaskRun.completed_at": "When it came to an end; null before.",
    "TaskRun.error": "Why it failed; left out where it did not.",
    "TaskRun.kind": "`task`, or `child` for a workflow that this one started.",
    "Waiting.kind": "`timer`, `event` or `child`.",
    "Waiting.name": "The name of the event or the child's workflow; null for a timer.",
    # Log records.
    "seq": "Its number in the log of the execution: from 1, without gaps.",
    "timestamp": "When it was logged.",
    "level": "How serious it is.",
    "task": "The task that logged it; null for the workflow itself.",
    "message": "What was logged.",
    "fields": "What was logged beside the message: an object, or null.",
    # Failures and problems.
    "type": "A URI that names the kind of error.",
    "title": "What went wrong, in a few words that are always the same.",
    "detail": "What went wrong this time.",
    "instance": "The position at which it went wrong.",
    "code": "The stable name of what is wrong.",
    "errors": "Each thing that is wrong, and where.",
    "offset": "The byte of the body at which it stops being JSON.",
    "execution_status": "The end that the execution has come to.",
    "request_id": "Finds what happened in the server's log.",
    "location": "A JSON pointer into the body, `?name` of a query parameter, `{name}` of the path.",
    "Failure.status": "A status code that fits the error, as in HTTP.",
    "Problem.status": "The status code of the answer.",
    "ProblemItem.message": "What is wrong there.",
    # Requests.
    "version": "The version to execute; the highest release where none is named.",
    "priority": "Of executions that queue, those with a higher priority begin earlier.",
    "start_at": "When it is to begin at the earliest, with a zone; at most ten years ahead.",
    "timeout": "How long the whole execution may take, such as `90s`, `1h30m` or `PT1H`.",
    "data": "What the event carries: any JSON.",
    "id": "Events with an id are received once, however often they are sent.",
    "Execute.inputs": "The inputs of the workflow, as its `input_schema` wants them.",
    "Execute.tags": "Marks to find the execution by.",
    "EventReceipt.name": "The name of the event.",
    "EventReceipt.id": "The id of the event; null where it has none.",
    "duplicate": "Whether an event with this id had been received before.",
    # Workflows.
    "workflows": "What can be executed.",
    "problems": "What could not be loaded, and why.",
    "digest": "Of the source: it changes with the code.",
    "timeout_ms": "How long an execution may take, in milliseconds; null where it has no limit.",
    "versions": "The versions of this page, the highest first.",
    "retired_at": "When it was retired; null while it is executed.",
    "source": "The text of its definition; null where that is not known.",
    "input_schema": "JSON Schema (2020-12) of the inputs.",
    "Workflow.workflow_id": "Names the workflow.",
    "Workflow.version": "The version.",
    "Workflow.kind": "`python`, or what else the workflow is written in.",
    "Workflow.title": "What it does, in a few words.",
    "Workflow.tags": "What its definition is marked with.",
    # Health.
    "Alive.status": "It answers.",
    "Ready.status": "It takes executions.",
}

PARAMETERS: Mapping[str, tuple[str, Any]] = {
    "limit": ("How many the page may have.", 10),
    "cursor": (
        "The `next_cursor` of the page before, with the same filters; the beginning without.",
        "Wn9xLrB0ZXhlYy0zNzRi",
    ),
    "created_by": ("Started by this caller.", "admin"),
    "retired": ("Retired ones, too.", False),
    "logs": ("How many of the newest log records come along.", 10),
}
"""What query parameters mean, with an example, where their types do not say it themselves."""
