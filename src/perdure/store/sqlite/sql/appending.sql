-- name: append
-- Section 7's guard, and what appends that go on change in their heads; changes a row for each that
-- is allowed. ?1 is a JSON array of arrays: key, seq, epoch, inbox_seen, inbox_known, guarded,
-- bytes, active.
UPDATE executions SET
    epoch = asked.epoch,
    next_seq = asked.seq + 1,
    inbox_read = max(inbox_read, asked.inbox_seen),
    journal_bytes = journal_bytes + asked.bytes,
    active = asked.active OR inbox_seq > asked.inbox_seen
FROM (
    SELECT value ->> 0 AS key, value ->> 1 AS seq, value ->> 2 AS epoch, value ->> 3 AS inbox_seen,
        value ->> 4 AS inbox_known, value ->> 5 AS guarded, value ->> 6 AS bytes,
        value ->> 7 AS active
    FROM jsonb_each(?1)
) AS asked
WHERE executions.key = asked.key AND executions.status = 'running'
    AND executions.next_seq = asked.seq AND executions.epoch <= asked.epoch
    AND (executions.control_seq <= asked.inbox_known OR NOT asked.guarded);

-- name: append_end
-- Section 7's guard, and the ends of executions; a trigger clears timers and inboxes. ?1 is as for
-- `append`, but in place of `active` it has status, completed_at, error.
UPDATE executions SET
    epoch = asked.epoch,
    next_seq = asked.seq + 1,
    inbox_read = max(inbox_seq, asked.inbox_seen),
    journal_bytes = journal_bytes + asked.bytes,
    active = 0,
    status = asked.status,
    completed_at = asked.completed_at,
    error = asked.error
FROM (
    SELECT value ->> 0 AS key, value ->> 1 AS seq, value ->> 2 AS epoch, value ->> 3 AS inbox_seen,
        value ->> 4 AS inbox_known, value ->> 5 AS guarded, value ->> 6 AS bytes,
        value ->> 7 AS status, value ->> 8 AS completed_at, value ->> 9 AS error
    FROM jsonb_each(?1)
) AS asked
WHERE executions.key = asked.key AND executions.status = 'running'
    AND executions.next_seq = asked.seq AND executions.epoch <= asked.epoch
    AND (executions.control_seq <= asked.inbox_known OR NOT asked.guarded);

-- name: put_batch
-- The batch of an append that was not refused.
INSERT INTO batches (key, seq, body) VALUES (?, ?, ?);

-- name: put_batches
-- Batches of appends that were not refused. ?1 is a JSON array of arrays: key, seq, body.
INSERT INTO batches (key, seq, body)
SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BLOB) FROM jsonb_each(?1);

-- name: begin_generation
-- Continuing as new: the journal starts anew after the batch just appended.
UPDATE executions SET journal_start = next_seq, journal_bytes = 0 WHERE key = ?;

-- name: drop_answers
-- Unread rows that answer commands of the generation before; what came from outside stays.
DELETE FROM inbox WHERE key = ?
    AND CAST(body AS TEXT) ->> '$.kind' NOT IN ('EventReceived', 'CancelRequested');

-- name: note_outdated
-- Batches before `journal_start` may be deleted.
INSERT OR REPLACE INTO outdated (key, journal_start)
SELECT key, journal_start FROM executions WHERE key = ?;

-- name: first_outdated
-- An execution with batches of earlier generations, and where its current one starts.
SELECT key, journal_start FROM outdated LIMIT 1;

-- name: delete_outdated
-- Up to ?3 batches of execution ?1 before ?2, the oldest first.
DELETE FROM batches WHERE key = ?1 AND seq IN (
    SELECT seq FROM batches WHERE key = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3
);

-- name: forget_outdated
-- An execution has no batches of earlier generations any more.
DELETE FROM outdated WHERE key = ?;
