"""What the indexes that lists are read from cost those who write: creations and ends of executions.

The store's own changes, 50 to a transaction, on files of which one has no more than the first
migration of the journal; the CPU time of the whole process, fsyncs and checkpoints in it.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from benchmarks.report import Measured, Row
from benchmarks.setting import Setting
from perdure.model.identifiers import RANDOM_BITS, execution_id
from perdure.model.status import Status
from perdure.ports.journal import AppendBatch, Change, CreateExecution, End
from perdure.store.sqlite.changes import apply_together
from perdure.store.sqlite.connections import open_writer
from perdure.store.sqlite.schema import migrations

_CREATED_MS = 1_771_864_200_000
_GROUP = 50
_CHECKPOINT_EVERY = 40
_INDEXES = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"


def indexes(setting: Setting) -> Sequence[Row]:
    """Measure with and without, in turns."""
    repeats, executions = (3, 5_000) if setting.quick else (9, 20_000)
    without_us: list[float] = []
    with_us: list[float] = []
    for repeat in range(repeats):
        setting.progress.say(f"the cost of indexes, {repeat + 1} of {repeats}")
        for indexed, results in ((False, without_us), (True, with_us)):
            results.append(_cpu_us(setting.folder, executions, indexed=indexed))
    before = statistics.median(without_us)
    added = [cost - before for cost in with_us]
    percent = 100 * statistics.median(added) / before
    return [
        Row(
            what="indexes of lists, CPU of creation and end",
            unit="us",
            measured=Measured.of(added),
            notes=[
                f"{percent:.0f} % of the {before:.1f} us that an execution's creation and end "
                "take without them"
            ],
        )
    ]


def _cpu_us(folder: Path, executions: int, *, indexed: bool) -> float:
    """Of one execution, in microseconds."""
    groups = [
        _groups(first, min(_GROUP, executions - first)) for first in range(0, executions, _GROUP)
    ]
    with (
        tempfile.TemporaryDirectory(dir=folder) as empty,
        closing(open_writer(Path(empty, "perdure.db"), "journal")) as connection,
    ):
        if not indexed:
            _drop_indexes(connection)
        began_s = time.process_time()
        for number, both in enumerate(groups):
            for changes in both:
                connection.execute("BEGIN IMMEDIATE")
                outcomes = apply_together(connection, changes)
                connection.execute("COMMIT")
                if not all(outcome.done for outcome in outcomes):
                    raise ValueError(f"a change was refused: {outcomes}")
            if number % _CHECKPOINT_EVERY == 0:
                connection.wal_checkpoint()
        return (time.process_time() - began_s) * 1_000_000 / executions


def _groups(first: int, count: int) -> tuple[Sequence[Change], Sequence[Change]]:
    """Creations, and the ends of the same executions."""
    ids = [
        execution_id(_CREATED_MS + n // 3 << RANDOM_BITS | n * 40_503 % 1_000 << 2 | n % 3)
        for n in range(first, first + count)
    ]
    return (
        [
            CreateExecution(
                execution_id=id,
                workflow_id=f"workflow-{number % 8}",
                workflow_version="1",
                digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                status=Status.RUNNING,
                created_at=_CREATED_MS,
                inputs=b'{"city":"Seattle"}',
                created_by="admin",
            )
            for number, id in enumerate(ids, start=first)
        ],
        [
            AppendBatch(
                execution_id=id,
                epoch=1,
                seq=0,
                inbox_seen=0,
                inbox_known=0,
                body=b'{"v":1,"event":{"kind":"Started"},"commands":[]}' * 4,
                guarded=True,
                active=False,
                end=End(status=Status.COMPLETED, at=_CREATED_MS + number),
            )
            for number, id in enumerate(ids, start=first)
        ],
    )


def _drop_indexes(connection: apsw.Connection) -> None:
    """Leave the indexes that were there before lists had some."""
    for (name,) in connection.execute(_INDEXES).fetchall():
        if f"CREATE INDEX {name} " not in migrations("journal")[0]:
            connection.execute(f"DROP INDEX {name}")
