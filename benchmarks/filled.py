"""A data folder with very many executions, written straight into the store's own schema.

Deterministic, and in SQL, so that ten million take minutes. Spread over 90 days and 20 workflows,
the first of which have most; 92 % completed, 5 % failed with an error, 2 % cancelled, 1 % that wait
or are paused; a fifth has tags; most are created by `admin`, some by others, a few by `seldom`.
None is at work or pending, so that a server only answers.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from perdure.machine.batch import encode_batch
from perdure.machine.commands import CompleteExecution
from perdure.machine.events import TaskCompleted
from perdure.store.sqlite.connections import make_folder, open_writer
from perdure.store.sqlite.store import JOURNAL_FILE

FIRST_MS = 1_764_000_000_000
SPAN_MS = 90 * 24 * 3600 * 1000
_PORTION = 100_000
_INPUTS = b'{"city":"Seattle","days":3,"units":"metric","reply_to":"somebody@example.com"}'

_EXECUTIONS = """
WITH RECURSIVE numbers(n) AS (
    SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2
), chances AS MATERIALIZED (
    SELECT n, ?3 + n * ?4 / ?5 AS created,
        (n * 2654435761) % 1000003 % 1000 AS a, (n * 40503 + 17) % 1000033 % 1000 AS b,
        (n * 2246822519) % 1000037 % 1000 AS c, (n * 3266489917) % 1000039 AS d
    FROM numbers
)
INSERT INTO executions (
    key, workflow_id, workflow_version, digest, status, created_at, started_at, completed_at, tags,
    priority, created_by, epoch, next_seq, active, journal_bytes, paused_at, error
)
SELECT created << 21 | (d & 2097151),
    'workflow-' || (b * b / 50000),
    '1', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    CASE WHEN a < 920 THEN 'completed' WHEN a < 970 THEN 'failed' WHEN a < 990 THEN 'cancelled'
        WHEN a < 998 THEN 'running' ELSE 'paused' END,
    created,
    created + CASE WHEN c < 700 THEN 0 ELSE c * 7 END,
    CASE WHEN a < 990 THEN created + 7000 + d % 90000 END,
    CASE WHEN d < 100 THEN '{"team":"seldom"}'
        WHEN c < 200 THEN '{"team":"team-' || (c % 8) || '","environment":"test"}' ELSE '{}' END,
    0,
    CASE WHEN d < 50 THEN 'seldom' WHEN c < 900 THEN 'admin' ELSE 'user-' || (c % 10) END,
    1, 1, 0, 200,
    CASE WHEN a >= 998 THEN created + 9000 END,
    CASE WHEN a >= 920 AND a < 970 THEN
        '{"type":"https://open-workflow-specification.org/spec/1.0.0/errors/runtime","status":500,'
        || '"title":"Runtime error","detail":"' || CASE WHEN d < 1000 THEN 'disk full on host '
        ELSE 'connection refused by host ' END || d || '","instance":"/do/3/call"}' END
FROM chances
"""
_INPUT_ROWS = "INSERT INTO inputs SELECT key, ?2 FROM executions WHERE key > ?1"
_BATCH_ROWS = "INSERT INTO batches SELECT key, 0, ?2 FROM executions WHERE key > ?1"
_TAG_ROWS = """
INSERT INTO execution_tags
SELECT tags.key || ':' || tags.value, executions.key
FROM executions, json_each(executions.tags) AS tags
WHERE executions.key > ?1 AND executions.tags <> '{}'
"""


def fill(folder: Path, executions: int, say: Callable[[str], None]) -> None:
    """Make a data folder with so many executions."""
    make_folder(folder)
    body = encode_batch(
        TaskCompleted(
            time=FIRST_MS, position="/summarise@0", attempt=1, output=msgspec.Raw(b'"mild"')
        ),
        [CompleteExecution(result=msgspec.Raw(b'{"summary":"mild","degrees":[11,12,14]}'))],
    )
    with closing(open_writer(folder / JOURNAL_FILE, "journal")) as connection:
        connection.pragma("synchronous", "OFF")
        connection.pragma("cache_size", -512 * 1024)
        last = -1
        for first in range(0, executions, _PORTION):
            say(f"writing executions, {first:,} of {executions:,}")
            end = min(first + _PORTION, executions)
            with connection:
                connection.execute(_EXECUTIONS, (first, end, FIRST_MS, SPAN_MS, executions))
                connection.execute(_INPUT_ROWS, (last, _INPUTS))
                connection.execute(_BATCH_ROWS, (last, body))
                connection.execute(_TAG_ROWS, (last,))
                last = connection.execute("SELECT max(key) FROM executions").get
            connection.wal_checkpoint()
        connection.pragma("synchronous", "FULL")
