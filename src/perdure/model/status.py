"""The status of an execution and the one table of its changes.

Every change of status, in the store as in the tests, goes along `TRANSITIONS`; the diagram in
docs/journal.md is made from it with ``python -m perdure.model.status``.
"""

import sys
from enum import StrEnum


class Status(StrEnum):
    """Where an execution stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether this status is an end."""
        return self in ENDS


ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})

TRANSITIONS: dict[tuple[Status, Status], str] = {
    (Status.PENDING, Status.RUNNING): "admitted",
    (Status.PENDING, Status.PAUSED): "paused",
    (Status.PENDING, Status.CANCELLED): "cancelled",
    (Status.RUNNING, Status.COMPLETED): "its program returned",
    (Status.RUNNING, Status.FAILED): "its program failed",
    (Status.RUNNING, Status.CANCELLED): "cancelled, cleanup done",
    (Status.RUNNING, Status.PAUSED): "paused or held",
    (Status.PAUSED, Status.PENDING): "resumed before it started",
    (Status.PAUSED, Status.RUNNING): "resumed, or cancelled and cleaning up",
    (Status.PAUSED, Status.CANCELLED): "cancelled without its program",
    (Status.FAILED, Status.RUNNING): "retried by an operator",
}
"""Every allowed change, with what brings it about."""


def allowed(before: Status, after: Status) -> bool:
    """Whether an execution may go from `before` to `after`."""
    return (before, after) in TRANSITIONS


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> pending", "    [*] --> running"]
    lines += [f"    {before} --> {after}: {why}" for (before, after), why in TRANSITIONS.items()]
    lines += [f"    {end} --> [*]" for end in (Status.COMPLETED, Status.CANCELLED)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(diagram() + "\n")
