-- name: append
-- Section 7's guard, and what an append that goes on changes in the head.
-- ?1 key, ?2 seq, ?3 epoch, ?4 inbox_seen, ?5 inbox_known, ?6 guarded, ?7 bytes, ?8 active.
UPDATE executions SET
    epoch = ?3,
    next_seq = ?2 + 1,
    inbox_read = max(inbox_read, ?4),
    journal_bytes = journal_bytes + ?7,
    active = ?8 OR inbox_seq > ?4
WHERE key = ?1 AND status = 'running' AND next_seq = ?2 AND epoch <= ?3
    AND (control_seq <= ?5 OR NOT ?6);

-- name: append_end
-- Section 7's guard, and the end of the execution; a trigger clears timers and inbox.
-- ?1 to ?7 as for `append`, ?8 status, ?9 completed_at, ?10 error.
UPDATE executions SET
    epoch = ?3,
    next_seq = ?2 + 1,
    inbox_read = max(inbox_seq, ?4),
    journal_bytes = journal_bytes + ?7,
    active = 0,
    status = ?8,
    completed_at = ?9,
    error = ?10
WHERE key = ?1 AND status = 'running' AND next_seq = ?2 AND epoch <= ?3
    AND (control_seq <= ?5 OR NOT ?6);

-- name: put_batch
-- The batch of an append that was not refused.
INSERT INTO batches (key, seq, body) VALUES (?, ?, ?);

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
