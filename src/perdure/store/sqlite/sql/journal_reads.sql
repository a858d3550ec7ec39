-- name: row
-- An execution.
SELECT key, workflow_id, workflow_version, digest, status, created_at, started_at, completed_at,
    tags, priority, timeout_ms, created_by, parent_key, parent_position, run, epoch, next_seq,
    journal_start, journal_bytes, inbox_read, control_seq, active, cancel_requested_at, paused_at, error,
    start_at, inbox_seq, depth
FROM executions WHERE key = ?;

-- name: inputs
-- The inputs of the current generation.
SELECT body FROM inputs WHERE key = ?;

-- name: batches
-- Batches from a sequence number on.
SELECT body FROM batches WHERE key = ? AND seq >= ? ORDER BY seq LIMIT ?;

-- name: inbox
-- The unread rows.
SELECT inbox_seq, body FROM inbox WHERE key = ? ORDER BY inbox_seq;

-- name: outcomes
-- Unread rows that are outcomes of tasks.
SELECT body FROM inbox WHERE key = ?
    AND CAST(body AS TEXT) ->> '$.kind' IN ('TaskCompleted', 'TaskFailed', 'TaskCancelled')
ORDER BY inbox_seq;

-- name: timers
-- Its timers, and when they are due.
SELECT position, due_ms FROM timers WHERE key = ?;

-- name: child
-- The newest execution that ?1 awaits at ?2.
SELECT key FROM executions WHERE parent_key = ?1 AND parent_position = ?2 ORDER BY key DESC LIMIT 1;

-- name: pending
-- Those that may start now, in the order of admission.
SELECT key FROM executions
WHERE status = 'pending' AND start_at IS NULL ORDER BY priority DESC, key LIMIT ?;

-- name: pending_count
-- How many of them there are, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM executions WHERE status = 'pending' AND start_at IS NULL LIMIT ?
);

-- name: active
-- Running executions with something to do, after a key.
SELECT key FROM executions
WHERE status = 'running' AND active = 1 AND key > ? ORDER BY key LIMIT ?;

-- name: due_timers
-- Timers due at a moment, the earliest first.
SELECT key, position FROM timers WHERE held = 0 AND due_ms <= ? ORDER BY due_ms LIMIT ?;

-- name: next_due
-- The earliest timer's moment.
SELECT due_ms FROM timers WHERE held = 0 ORDER BY due_ms LIMIT 1;

-- name: newest_key
-- The newest execution.
SELECT key FROM executions ORDER BY key DESC LIMIT 1;
