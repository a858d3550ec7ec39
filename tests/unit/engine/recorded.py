"""A journal in memory, as far as stories read it."""

import msgspec

from perdure.machine import commands as c
from perdure.machine import events as e
from perdure.machine.batch import encode_batch, encode_event
from perdure.model.status import Status
from perdure.ports.journal import Row

NOTHING = msgspec.Raw(b"null")


class Recorded:
    """Executions with their batches and inboxes; `reads` are the batches that were read."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        self.rows: dict[str, Row] = {}
        self.inboxes: dict[str, list[bytes]] = {}
        self.reads: list[int] = []

    def create(self, execution_id: str) -> None:
        self.bodies[execution_id] = []
        self.inboxes[execution_id] = []
        self.rows[execution_id] = Row(
            execution_id=execution_id,
            workflow_id="flow",
            workflow_version="1",
            digest="",
            status=Status.RUNNING,
            created_at=0,
            started_at=0,
            completed_at=None,
            tags={},
            priority=0,
            timeout_ms=None,
            created_by=None,
            parent=None,
            run=1,
            epoch=1,
            next_seq=0,
            journal_start=0,
            control_seq=0,
            active=True,
            cancel_requested_at=None,
            paused_at=None,
            error=None,
        )

    def append(self, execution_id: str, event: e.AnyEvent, *commands: c.AnyCommand) -> None:
        """Record a batch; one that continues as new begins a generation."""
        bodies = self.bodies[execution_id]
        bodies.append(encode_batch(event, commands))
        continues = any(isinstance(command, c.ContinueAsNew) for command in commands)
        start = len(bodies) if continues else self.rows[execution_id].journal_start
        self.change(execution_id, next_seq=len(bodies), journal_start=start)

    def put(self, execution_id: str, event: e.AnyEvent) -> None:
        """An outcome comes into the inbox."""
        self.inboxes[execution_id].append(encode_event(event))

    def change(self, execution_id: str, **fields: object) -> None:
        row = msgspec.structs.replace(self.rows[execution_id], **fields)
        self.rows[execution_id] = row

    # -- what stories read ---------------------------------------------------------------------

    def row(self, execution_id: str) -> Row | None:
        return self.rows.get(execution_id)

    def batches(self, execution_id: str, first_seq: int, limit: int) -> list[bytes]:
        found = self.bodies[execution_id][first_seq : first_seq + limit]
        self.reads += range(first_seq, first_seq + len(found))
        return found

    def outcomes(self, execution_id: str) -> list[bytes]:
        return self.inboxes[execution_id]


def run(position: str, attempt: int = 1, value: bytes = b"null") -> c.RunTask:
    return c.RunTask(
        position=position, name=position[1:], attempt=attempt, input=msgspec.Raw(value)
    )


def completed(
    position: str, attempt: int = 1, time: int = 0, value: bytes = b"null"
) -> e.TaskCompleted:
    return e.TaskCompleted(time=time, position=position, attempt=attempt, output=msgspec.Raw(value))


def started(time: int = 0, *carried: str) -> e.ExecutionStarted:
    return e.ExecutionStarted(
        time=time,
        seed=1,
        workflow_id="flow",
        workflow_version="1",
        carried=tuple(c.Carried(name=name, data=NOTHING) for name in carried),
    )
