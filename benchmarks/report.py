"""What a benchmark found, and how it is shown."""

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

from benchmarks.machine import Machine

NOISE = (
    "Noise is to be expected: medians, with the lowest and the highest in brackets. Clients, "
    "server and\nworker share these cores with whatever else runs; compare ratios rather than "
    "numbers."
)


class Measured(msgspec.Struct, frozen=True):
    """A median over repeats, and their spread."""

    median: float
    lowest: float
    highest: float
    repeats: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Measured":
        """Of the results of repeats; at least one."""
        return cls(statistics.median(values), min(values), max(values), len(values))


class Target(msgspec.Struct, frozen=True):
    """What the median has to be."""

    relation: Literal["<", ">="]
    value: float
    reason: str = ""


class Limit(msgspec.Struct, frozen=True):
    """What would be possible at best, measured in the same run unless it follows from the task."""

    name: str
    value: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One result."""

    what: str
    unit: str
    measured: Measured
    target: Target | None = None
    limits: Sequence[Limit] = ()
    notes: Sequence[str] = ()

    @property
    def met(self) -> bool:
        """Whether the target is met; true where there is none."""
        if self.target is None:
            return True
        below = self.measured.median < self.target.value
        return below if self.target.relation == "<" else not below


class Report(msgspec.Struct, frozen=True):
    """All of a run."""

    machine: Machine
    rows: Sequence[Row]


def row_text(row: Row) -> str:
    """A row of the table, with its limits and notes on the lines below it."""
    measured = row.measured
    value = f"{_number(measured.median)} {row.unit}"
    if measured.repeats > 1:
        value += f" ({_number(measured.lowest)} to {_number(measured.highest)})"
    target = ""
    if row.target is not None:
        target = (
            f"{row.target.relation} {_number(row.target.value)}  {'met' if row.met else 'NOT met'}"
        )
    lines = [f"{row.what:<46} {value:<30} {target}".rstrip()]
    if row.target is not None and row.target.reason:
        lines.append(f"    target: {row.target.reason}")
    lines += [
        f"    {measured.median / limit.value:.2f} x {_number(limit.value)} {row.unit}: {limit.name}"
        for limit in row.limits
    ]
    lines += [f"    {note}" for note in row.notes]
    return "\n".join(lines)


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
